"""What a person sees of a loop: progress events at a readable pace, with means over the last steps and the speed."""

import time
from collections import deque
from collections.abc import Mapping

from bertsmith.progress import Advance, Listener

_SHOWN_EVERY = 0.2  # seconds between two events of progress
_RECENT = 50  # steps over which shown values are averaged


class Shown:
    """Tells a listener where the loop stands."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._recent: deque[Mapping[str, float]] = deque(maxlen=_RECENT)
        self._tokens: deque[tuple[float, int]] = deque([(time.perf_counter(), 0)], maxlen=_RECENT)
        self._evaluated: dict[str, float] = {}
        self._last = 0.0

    def step(self, done: int, measures: Mapping[str, float], tokens: int, last: bool) -> None:
        """A step is done."""
        now = time.perf_counter()
        self._recent.append(measures)
        self._tokens.append((now, tokens))
        if now - self._last < _SHOWN_EVERY and not last:
            return
        self._last = now
        means = {name: sum(one[name] for one in self._recent) / len(self._recent) for name in measures}
        span = now - self._tokens[0][0]
        speed = sum(count for _, count in list(self._tokens)[1:]) / span if span else 0.0
        self._listen(Advance(done, {**means, **self._evaluated, "tokens_per_second": round(speed)}))

    def evaluated(self, measures: Mapping[str, float]) -> None:
        """An evaluation is done; it is shown with the next step."""
        self._evaluated = {f"held_out_{name}": value for name, value in measures.items()}
        self._last = 0.0
