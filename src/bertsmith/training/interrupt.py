"""Ctrl-C while a loop runs: the first one asks it to stop behind the current step, the second ends at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requests(processes: int = 1) -> Iterator[Callable[[], bool]]:
    """Watch for SIGINT and SIGTERM for the duration of a loop.

    Args:
        processes: how many processes run the loop together. With more than one a second signal does not end this one: Ctrl-C reaches
            each of them from the terminal and once more from the launcher, which kills whatever is still there after its own patience.

    Yields:
        A function that tells whether a stop was asked for. Outside the main thread no signal arrives and it stays False.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set() and processes == 1:
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
