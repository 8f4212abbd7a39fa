"""Run one function over many items in several processes; the results keep the items' order.

Results do not depend on the number of processes: each item carries its own seed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar, cast

from bytewing.foundation.errors import BytewingError
from bytewing.foundation.progress import Advance

Item = TypeVar("Item")
Result = TypeVar("Result")
Kept = TypeVar("Kept")
_ONE_AT_A_TIME = threading.Lock()

# A flight uses one core: libraries that start a thread per core would only compete for them.
_ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}


def default_jobs() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor]:
    """Yield a pool of ``jobs`` processes (spawned: PyBullet and threads do not fork well).

    On an error or Ctrl-C the processes are ended and their work is dropped.
    """
    context = multiprocessing.get_context("spawn")
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)
    try:
        _start_ignoring_interrupts(pool)
        yield pool
    except BaseException:
        # Futures are not cancelled: when its workers are gone, the pool marks the rest as broken,
        # which fails for a future that was cancelled meanwhile.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        pool.shutdown()


def run(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
    each: Callable[[int, Result], Kept] | None = None,
) -> list[Kept]:
    """Return ``[function(item) for item in items]``, computed by several processes.

    Args:
        function: importable by name (it is sent to other processes).
        items: picklable; each holds everything that decides its result.
        jobs: number of processes; 1 computes in this one.
        advance: called once per finished item.
        executor: runs the function instead of a process pool.
        each: called in this process with an item's index and result as soon as there is one, in any
            order. Its return value takes the result's place, so that a large result can be written
            and dropped.

    Raises BytewingError where a process died; a function's own error is raised as it is. Items that
    have not run by then are left to the executor's owner (``process_pool`` ends its processes).
    """
    if executor is None and jobs > 1 and len(items) > 1:
        with process_pool(min(jobs, len(items))) as pool:
            return run(function, items, advance=advance, executor=pool, each=each)
    kept: dict[int, Kept] = {}

    def keep(index: int, result: Result) -> None:
        kept[index] = each(index, result) if each else cast(Kept, result)
        if advance:
            advance()

    if executor is None:
        for index, item in enumerate(items):
            keep(index, function(item))
    else:
        # The one reference to each future, so that a result is freed once it has been kept.
        index_of = {
            executor.submit(_alone, function, item): index for index, item in enumerate(items)
        }
        try:
            for future in as_completed(list(index_of)):
                keep(index_of.pop(future), future.result())
        except BrokenProcessPool as error:
            raise BytewingError(
                "a worker process died (out of memory, or killed); try fewer with --jobs"
            ) from error
    return [kept[index] for index in range(len(items))]


def _alone(function: Callable[[Item], Result], item: Item) -> Result:
    """Run the function with no other in this process: cached policies have state."""
    with _ONE_AT_A_TIME:
        return function(item)


def _start_ignoring_interrupts(pool: Executor) -> None:
    """Start the workers with SIGINT ignored from their first instruction on.

    Ctrl-C signals the whole process group, and the parent alone handles it; a worker that receives
    it while it imports would print a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pool.submit(int)  # the first submission starts all processes
    finally:
        signal.signal(signal.SIGINT, before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent is gone; after a kill -9 it would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
