"""Many flights: the same function over many jobs, on an executor; the results keep their order.

Nothing depends on how many processes there are: a job carries its own seed, and results come back
in the order of the jobs.
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

Job = TypeVar("Job")
Result = TypeVar("Result")
Kept = TypeVar("Kept")
_ONE_AT_A_TIME = threading.Lock()

# A flight is one core's work: libraries that would start a thread a core only get in the way.
_ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}


def default_jobs() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def process_pool(n_jobs: int) -> Iterator[Executor]:
    """Yield a pool of ``n_jobs`` fresh processes (spawned: PyBullet and threads do not fork well).

    On an error or Ctrl-C the processes are ended and what they had to do is dropped.
    """
    context = multiprocessing.get_context("spawn")
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    pool = ProcessPoolExecutor(n_jobs, mp_context=context, initializer=_begin_worker)
    try:
        _start_deaf_to_interrupts(pool)
        yield pool
    except BaseException:
        # Not cancelled: when its workers are gone, the pool itself marks what is left as broken,
        # and trips over futures that somebody has cancelled meanwhile.
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
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    n_jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
    each: Callable[[int, Result], Kept] | None = None,
) -> list[Kept]:
    """Return ``[function(job) for job in jobs]``, computed by ``n_jobs`` processes.

    Args:
        function: importable by name (it is sent to other processes).
        jobs: picklable descriptions, each with all that decides its result.
        n_jobs: processes; 1 computes here.
        advance: called once a finished job.
        executor: used instead of a pool of our own where given.
        each: called here with a job's index and result as soon as there is one, in any order; what
            it returns stands in the result's place, so that a large one can be written and dropped.

    Raises BytewingError where a process died; the error of a job is raised as it is. What has not
    run by then is left to whoever owns the executor (``process_pool`` ends its processes).
    """
    if executor is None and n_jobs > 1 and len(jobs) > 1:
        with process_pool(min(n_jobs, len(jobs))) as pool:
            return run(function, jobs, n_jobs, advance, pool, each)
    kept: dict[int, Kept] = {}

    def keep(index: int, result: Result) -> None:
        kept[index] = each(index, result) if each else cast(Kept, result)
        if advance:
            advance()

    if executor is None:
        for index, job in enumerate(jobs):
            keep(index, function(job))
    else:
        index_of = {executor.submit(_alone, function, job): index for index, job in enumerate(jobs)}
        try:
            for future in as_completed(list(index_of)):
                keep(index_of.pop(future), future.result())
        except BrokenProcessPool as error:
            raise BytewingError(
                "a worker process died (out of memory, or killed); try fewer with --jobs"
            ) from error
    return [kept[index] for index in range(len(jobs))]


def _alone(function: Callable[[Job], Result], job: Job) -> Result:
    """Run a job with no other in this process: compiled policies are kept, and have state."""
    with _ONE_AT_A_TIME:
        return function(job)


def _start_deaf_to_interrupts(pool: Executor) -> None:
    """Start the workers with Ctrl-C ignored from their first instruction on.

    It reaches the whole process group, and the parent alone decides what it means; a worker that it
    met while still importing would print a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pool.submit(int)  # the first job starts all processes
    finally:
        signal.signal(signal.SIGINT, before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent is gone; after a kill -9 it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
