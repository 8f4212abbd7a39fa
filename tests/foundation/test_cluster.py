"""Asking for a cluster that is not there, or not ours."""

import socket
import sys

import pytest

from bytewing.foundation import cluster
from bytewing.foundation.cluster import dask_cluster
from bytewing.foundation.errors import BadInputError, MissingToolError


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingToolError, match=r"bytewing\[cluster\]"), dask_cluster("tcp://x:1"):
        pass


def test_no_scheduler_is_one_line_with_the_address_and_the_remedy(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(BadInputError) as error, dask_cluster(address):
            pass
    assert address in str(error.value)
    assert "dask scheduler" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("workers", "said"), [({"tcp://w:1": "0.0.0"}, "worker tcp://w:1 has Bytewing 0.0.0")]
)
def test_a_worker_with_another_bytewing_is_refused(workers, said):
    class Client:
        def wait_for_workers(self, n_workers, timeout):
            pass

        def run(self, function, *arguments):
            return workers

    with pytest.raises(BadInputError, match=said):
        cluster._require_workers(Client(), "tcp://s:1")


def test_a_worker_with_other_sources_of_the_same_version_is_refused():
    class Client:
        def wait_for_workers(self, n_workers, timeout):
            pass

        def run(self, function, *arguments):
            own = function(*arguments)
            return {"tcp://w:1": own, "tcp://w:2": own if arguments else f"{own} edited"}

    with pytest.raises(BadInputError, match=r"worker tcp://w:2 has Bytewing .* edited"):
        cluster._require_workers(Client(), "tcp://s:1")
