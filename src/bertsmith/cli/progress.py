"""Events of long work as a person sees them, on standard error: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from bertsmith.jobs.field_text import unit_name
from bertsmith.messages import Phrase
from bertsmith.messages.names import METRICS, named
from bertsmith.messages.zh_cli import MEASURES, STAGES, VALUES
from bertsmith.progress import Advance, Event, Listener, Note, Picture, Stage

SECONDS_BETWEEN_LINES = 10.0  # assumed: a log that stays readable over hours

_WARNING = Phrase("warning: ", "警告：")
_LEFT = Phrase("{time} left", "剩余 {time}")
_TOOK = Phrase("took {time}", "用时 {time}")
_TIMES = {
    "h": Phrase("{big} h {small} min", "{big} 小时 {small} 分"),
    "min": Phrase("{big} min {small} s", "{big} 分 {small} 秒"),
    "s": Phrase("{small} s", "{small} 秒"),
}
_HELD_OUT = "held_out_"  # before the name of a value that was not measured on the training examples
_MOMENT = Phrase("under 1 s", "<1 秒")
Clock = Callable[[], float]


class Display(Protocol):
    """A listener that draws, until it is closed."""

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        ...

    def close(self) -> None:
        """Finish what is drawn; also after an error."""
        ...


@contextmanager
def display(stream: TextIO, language: str) -> Iterator[Listener]:
    """The display that fits the stream, closed at the end."""
    drawn: Display
    if stream.isatty():
        from bertsmith.cli.live import LiveDisplay  # here, because only a terminal needs rich's bars

        drawn = LiveDisplay(stream, language)
    else:
        drawn = LineDisplay(stream, language)
    try:
        yield drawn
    finally:
        drawn.close()


@dataclass
class Running:
    """A stage under way: where it stands and how fast it goes."""

    stage: Stage
    begun: float
    done: int = 0
    values: Mapping[str, float | int | str] = field(default_factory=dict)
    _first: tuple[int, float] | None = None

    def advance(self, event: Advance, now: float) -> None:
        """Take in where the stage stands; the first report, which may be far on in a resumed run, starts the clock."""
        self.done, self.values = event.done, event.values
        if self._first is None:
            self._first = (event.done, now)

    def seconds_left(self, now: float) -> float | None:
        """The time to the end at the pace so far, None where it cannot be told."""
        if self._first is None or self.stage.total is None or self.done <= self._first[0]:
            return None
        done_since, seconds = self.done - self._first[0], now - self._first[1]
        return max(0, self.stage.total - self.done) * seconds / done_since

    def count(self, language: str) -> str:
        """`500/10,000 steps`; empty where nothing is counted."""
        if not self.done and not self.stage.total:
            return ""
        count = f"{self.done:,}" if self.stage.total is None else f"{self.done:,}/{self.stage.total:,}"
        measure = MEASURES.get(self.stage.unit, "") if language == "zh" else ""
        return f"{count} {measure}{unit_name(self.stage.unit, language)}".rstrip()

    def told_values(self, language: str) -> list[str]:
        """Each value with its name."""
        return [value_text(name, value, language) for name, value in self.values.items()]

    def left(self, now: float, language: str) -> str:
        """The time left; empty where it cannot be told."""
        seconds = self.seconds_left(now)
        return "" if seconds is None else _LEFT.text(language).format(time=time_text(seconds, language))

    def line(self, now: float, language: str, *, ended: bool) -> str:
        """The stage in one line."""
        took = _TOOK.text(language).format(time=time_text(now - self.begun, language))
        parts = [self.count(language), *self.told_values(language), took if ended else self.left(now, language)]
        comma, colon = ("，", "：") if language == "zh" else (", ", ": ")
        return stage_name(self.stage.name, language) + colon + comma.join(part for part in parts if part)


class LineDisplay:
    """A line where a stage begins and ends and every ten seconds between, a picture as often; for logs."""

    def __init__(self, stream: TextIO, language: str, clock: Clock = time.monotonic) -> None:
        self._stream, self._language, self._clock = stream, language, clock
        self._running: Running | None = None
        self._last_line = 0.0
        self._last_picture: float | None = None

    def __call__(self, event: Event) -> None:
        """Write the line of the event, if it is due."""
        now = self._clock()
        match event:
            case Stage():
                self.close()
                self._running, self._last_line = Running(event, now), now
                self._write(stage_name(event.name, self._language) + " …")
            case Advance() if self._running is not None:
                self._running.advance(event, now)
                if now - self._last_line >= SECONDS_BETWEEN_LINES:
                    self._write(self._running.line(now, self._language, ended=False))
                    self._last_line = now
            case Note():
                self._write(note_text(event, self._language))
            case Picture() if self._last_picture is None or now - self._last_picture >= SECONDS_BETWEEN_LINES:
                self._write("\n".join(line.text(self._language) for line in event.lines))
                self._last_picture = now

    def close(self) -> None:
        """Write the last line of the stage under way."""
        if self._running is not None:
            self._write(self._running.line(self._clock(), self._language, ended=True))
            self._running = None

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def stage_name(name: str, language: str) -> str:
    """The name of a stage; in Chinese the longest known beginning is translated and the rest stays."""
    known = [begin for begin in STAGES if name == begin or name.startswith(begin + " ")]
    if language != "zh" or not known:
        return name
    begin = max(known, key=len)
    return STAGES[begin] + name[len(begin) :]


def value_text(name: str, value: float | int | str, language: str) -> str:
    """`mlm loss 4.281`; large numbers with separators, others with four digits."""
    shown = _chinese_value(name) if language == "zh" else name
    if isinstance(value, float):
        number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    else:
        number = f"{value:,}" if isinstance(value, int) else value
    return f"{shown.replace('_per_second', '/s').replace('_', ' ')} {number}"


def _chinese_value(name: str) -> str:
    if name.startswith(_HELD_OUT):
        return "留出" + _chinese_value(name.removeprefix(_HELD_OUT))
    return VALUES[name] if name in VALUES else named(METRICS, name).zh


def time_text(seconds: float, language: str) -> str:
    """`3 min 20 s`."""
    whole = round(seconds)
    if not whole:
        return _MOMENT.text(language)
    unit, size = ("h", 3600) if whole >= 3600 else ("min", 60) if whole >= 60 else ("s", 1)
    big, rest = divmod(whole, size)
    small = {"h": rest // 60, "min": rest, "s": whole}[unit]
    return _TIMES[unit].text(language).format(big=big, small=small)


def note_text(event: Note, language: str) -> str:
    """The sentence of a note, a warning marked as such."""
    return (_WARNING.text(language) if event.warning else "") + event.text(language)
