"""Events of long work. The library emits them and stays silent; only the command line draws them.

A listener is any callable that takes an `Event`. Work that nobody listens to passes its events to `ignore`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bertsmith.messages import Phrase, chinese_note, filled


@dataclass(frozen=True)
class Stage:
    """A stretch of work begins. `total` counts `unit`s, None where it is not known before the end."""

    name: str
    total: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Advance:
    """The current stage stands at `done`; `values` are what a reader may want to see beside it."""

    done: int
    values: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """One thing that a person should know: what was found, inferred or decided; a `Phrase` among the values is told in the reader's language."""

    code: str
    english: str
    values: Mapping[str, object] = field(default_factory=dict)
    warning: bool = False

    def text(self, language: str = "en") -> str:
        """The sentence for a reader, `en` or `zh`."""
        template = self.english if language == "en" else chinese_note(self.code, self.english)
        return filled(template, self.values, language)


@dataclass(frozen=True)
class Picture:
    """Lines that take the place of the picture before, such as a table of runs under way."""

    lines: tuple[Phrase, ...]


def note(code: str, english: str, **values: object) -> Note:
    """A note with its named values."""
    return Note(code, english, values)


def warning(code: str, english: str, **values: object) -> Note:
    """A note that a person must not miss."""
    return Note(code, english, values, warning=True)


Event = Stage | Advance | Note | Picture
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of work that nobody watches."""
