"""The display of a terminal: a bar for the stage under way with its values beneath; a line remains of each stage that ended."""

import time
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from bertsmith.cli.progress import Clock, Running, note_text, stage_name
from bertsmith.progress import Advance, Event, Note, Picture, Stage

_REFRESHES = 4  # of the bar per second; each costs the training threads a little


class LiveDisplay:
    """A listener that draws on a terminal until it is closed."""

    def __init__(self, stream: TextIO, language: str, clock: Clock = time.monotonic) -> None:
        self._language, self._clock = language, clock
        self._bars = _bars(stream)
        self._running: Running | None = None
        self._task: TaskID | None = None
        self._bars.start()

    def __call__(self, event: Event) -> None:
        """Draw the event."""
        now = self._clock()
        match event:
            case Stage():
                self._end_stage()
                self._running = Running(event, now)
                name = stage_name(event.name, self._language)
                self._task = self._bars.add_task(name, total=event.total, count="", left="", values="")
            case Advance() if self._running is not None and self._task is not None:
                self._running.advance(event, now)
                self._bars.update(
                    self._task,
                    completed=event.done,
                    count=self._running.count(self._language),
                    left=self._running.left(now, self._language),
                    values="   ".join(self._running.told_values(self._language)),
                )
            case Note():
                self._write(note_text(event, self._language), style="bold yellow" if event.warning else "")
            case Picture():
                self._bars.picture = "\n".join(line.text(self._language) for line in event.lines)
                self._bars.refresh()

    def close(self) -> None:
        """Leave the last line and give the terminal back."""
        self._end_stage()
        self._bars.picture = ""  # what it showed last stands in the result
        self._bars.stop()

    def _end_stage(self) -> None:
        if self._running is not None and self._task is not None:
            self._bars.remove_task(self._task)
            self._bars.refresh()
            self._write(self._running.line(self._clock(), self._language, ended=True), style="dim")
        self._running = self._task = None

    def _write(self, line: str, style: str) -> None:
        self._bars.console.print(line, style=style, markup=False, highlight=False)


class _Bars(Progress):
    """rich's bars below the picture, with the values on lines of their own, so that a narrow terminal cuts nothing."""

    picture = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The picture, the bar, then the values."""
        if self.picture:
            yield Text(self.picture)
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            if task.fields["values"]:
                yield Padding(Text(task.fields["values"]), (0, 2))


def _bars(stream: TextIO) -> _Bars:
    return _Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("{task.fields[left]}", style="cyan", markup=False),
        console=Console(file=stream),
        refresh_per_second=_REFRESHES,
        redirect_stdout=False,
        redirect_stderr=False,
    )
