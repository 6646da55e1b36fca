"""Jobs over worker processes, where the end of one job may start others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any

from neuro_robot.errors import SimulationError

FollowUp = Callable[["Job", Any], "list[Job]"]
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Job:
    """A picklable call: `function(*arguments)` for one row of a table and one network."""

    row: str
    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    network: int = 0


def run_jobs(
    jobs: Sequence[Job], follow_up: FollowUp, processes: int, report: Report | None = None
) -> list[tuple[Job, Any]]:
    """Run all jobs and those that `follow_up(job, result)` adds; return them with their results as they ended.

    One process runs here and now; more are spawned with one numba thread each. The first failure is raised after the
    jobs that had not started are cancelled.
    """
    source = _here(jobs, follow_up) if processes == 1 else _spawned(jobs, follow_up, processes)
    done: list[tuple[Job, Any]] = []
    for job, result, known in source:
        done.append((job, result))
        if report is not None:
            report(job.label, len(done), known)
    return done


def _here(jobs: Sequence[Job], follow_up: FollowUp) -> Iterator[tuple[Job, Any, int]]:
    waiting = list(jobs)
    finished = 0
    while waiting:
        job = waiting.pop(0)
        result = job.function(*job.arguments)
        finished += 1
        waiting += follow_up(job, result)
        yield job, result, finished + len(waiting)


def _spawned(jobs: Sequence[Job], follow_up: FollowUp, processes: int) -> Iterator[tuple[Job, Any, int]]:
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_prepare_worker)
    try:
        running: dict[Future[Any], Job] = {pool.submit(job.function, *job.arguments): job for job in jobs}
        finished = 0
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=lambda f: running[f].label):
                job = running.pop(future)
                result = future.result()
                finished += 1
                for more in follow_up(job, result):
                    running[pool.submit(more.function, *more.arguments)] = more
                yield job, result, finished + len(running)
    except BrokenProcessPool as error:
        raise SimulationError(
            "a worker process was killed (out of memory, or from outside): start again with fewer processes"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    """One thread each, since workers share the cores already, and nothing on stdout, which is for the result."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)  # pybullet prints a line from C when it is imported
    import cv2
    import numba

    numba.set_num_threads(1)
    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """Nobody waits for the work of a process that was killed; without this its workers would stay for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
