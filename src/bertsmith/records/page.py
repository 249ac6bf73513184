"""What a report shows, as plain values: a job fills a `Page`, `reports` draws it. Everything goes to JSON and back."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from bertsmith.messages import Phrase
from bertsmith.records.scores import Score

Tone = Literal["plain", "good", "warning"]
Cell = str | int | float | None | Score | Phrase


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two."""

    text: Phrase
    tone: Tone = "plain"


@dataclass(frozen=True)
class Table:
    """Columns and rows; `highlight` is the index of the row that the table is about."""

    title: Phrase
    columns: tuple[Phrase, ...]
    rows: tuple[tuple[Cell, ...], ...]
    highlight: int | None = None
    caption: Phrase | None = None


@dataclass(frozen=True)
class Series:
    """One line of a chart; a baseline is a series with two equal values, drawn dashed."""

    name: Phrase
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis."""

    title: Phrase
    x: Phrase
    y: Phrase
    series: tuple[Series, ...]
    caption: Phrase | None = None


@dataclass(frozen=True)
class Confusion:
    """Counts of examples: `counts[i][j]` have label i and were answered j."""

    title: Phrase
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    caption: Phrase | None = None


@dataclass(frozen=True)
class Bar:
    """One bar: how much of it each part of its `Bars` takes, in the order of the parts, and what the values count."""

    name: Phrase
    values: tuple[float, ...]
    unit: Phrase


@dataclass(frozen=True)
class Bars:
    """Horizontal bars made of the same parts; each as long as the page (`own`), or all on one scale (`common`)."""

    title: Phrase
    parts: tuple[Phrase, ...]
    bars: tuple[Bar, ...]
    scale: Literal["own", "common"] = "own"
    caption: Phrase | None = None


Item = Paragraph | Table | Chart | Confusion | Bars


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: Phrase
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Page:
    """A whole report: the title, one sentence that says what came out, and sections."""

    title: Phrase
    summary: Phrase
    sections: tuple[Section, ...]


_KINDS: dict[str, type] = {
    cls.__name__: cls for cls in (Phrase, Score, Paragraph, Table, Series, Chart, Confusion, Bar, Bars, Section, Page)
}


def to_json(value: Any) -> Any:
    """A page, or any part of it, as JSON values; each dataclass carries its kind."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`; lists become tuples."""
    if isinstance(value, dict):
        return _KINDS[value["kind"]](**{key: from_json(item) for key, item in value.items() if key != "kind"})
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    return value
