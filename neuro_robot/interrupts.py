"""Ctrl-C where it does no harm: noted at once, raised at a place where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupt(patience: int = 1) -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back; it is raised as KeyboardInterrupt by the `check()` that this gives, or at the end.

    More than `patience` of them are raised at once. Outside the main thread, where no signal arrives, nothing is held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    received = 0

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received > patience:
            raise KeyboardInterrupt

    def check() -> None:
        if received:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
    check()
