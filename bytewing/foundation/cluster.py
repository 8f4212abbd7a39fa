"""A Dask cluster as an executor for ``bytewing.foundation.fleet``.

Dask distributes the jobs, moves them when a worker dies and returns the results. ``dask scheduler``
and ``dask worker`` start the cluster (see ``docs/scaling.md``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bytewing.foundation.errors import BadInputError, BytewingError, MissingToolError
from bytewing.foundation.sources import code_version

# A local network answers in milliseconds; a new worker needs this long to import its libraries.
CONNECT_S, FIRST_WORKER_S = 10, 60


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """Yield the executor of the Dask cluster whose scheduler listens at ``address``.

    On an error or Ctrl-C the jobs that have not run are cancelled.

    Raises:
        MissingToolError: Dask is not installed here.
        BadInputError: no scheduler there, no worker, or one with other code.
        BytewingError: the cluster was lost, or a job killed every worker that ran it.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.comm.core import CommClosedError
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "--scheduler needs Dask, which is not installed: pip install 'bytewing[cluster]'"
        ) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # reported below, in one line
    try:
        # Dask is not typed.
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(
            f"--scheduler {address}: no Dask scheduler answers there; start one with "
            "'dask scheduler' and give the address it prints, such as tcp://10.0.0.1:8786"
        ) from error
    with client:
        _require_workers(client, address)
        executor = client.get_executor(pure=False)
        try:
            yield executor
        except KilledWorker as error:
            raise BytewingError(
                "a flight ended each worker it was given to (out of memory?); "
                "see the workers' output, or fly it here with --jobs 1"
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise BytewingError(
                f"--scheduler {address}: the scheduler was lost; start it again and give the same "
                "command: what --out (or --resume) has kept is not flown again"
            ) from error
        finally:
            executor.shutdown(wait=False)


def _require_workers(client: Any, address: str) -> None:  # noqa: ANN401 (Dask has no types)
    ours = version("bytewing")
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_S)
    except TimeoutError as error:
        raise BadInputError(
            f"--scheduler {address}: no worker has joined it; start some with "
            f"'dask worker {address} --nworkers 4 --nthreads 1'"
        ) from error
    try:
        found = client.run(version, "bytewing")
    except PackageNotFoundError as error:
        raise BadInputError(
            f"--scheduler {address}: its workers have no Bytewing; "
            f"pip install 'bytewing[cluster]=={ours}' there"
        ) from error
    _require_same(found, ours, address)
    _require_same(client.run(code_version), code_version(), address)


def _require_same(found: dict[str, str], ours: str, address: str) -> None:
    """Raise BadInputError where a worker's version (by its address) is not ``ours``."""
    for worker, theirs in sorted(found.items()):
        if theirs != ours:
            raise BadInputError(
                f"--scheduler {address}: worker {worker} has Bytewing {theirs}, here it is {ours}; "
                "install the same version and tasks on both, or the results could differ"
            )
