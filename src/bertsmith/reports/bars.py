"""Where the pieces of stacked bars stand, and what their legend says; the template puts them on the page as html."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertsmith.messages import Phrase
from bertsmith.records.page import Bar, Bars

NAMED_FROM = 8.0  # percent of the page's width in which a share can be read
_SUFFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_WHOLE = 1e5  # below it a number from a thousand on is written out


@dataclass(frozen=True)
class Piece:
    """A part of a bar: its number, its width in percent of the page's, and its share where there is room for it."""

    part: int
    width: float
    text: str


@dataclass(frozen=True)
class DrawnBar:
    """A bar as drawn, and its sum for a reader."""

    name: Phrase
    total: str
    unit: Phrase
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class DrawnBars:
    """All bars, and the legend: for each part its name, and its value and share in each bar."""

    bars: tuple[DrawnBar, ...]
    legend: tuple[tuple[Phrase, tuple[tuple[str, str], ...]], ...]


def bars(item: Bars) -> DrawnBars:
    """Draw bars; a bar without anything in it has no pieces."""
    longest = max((sum(bar.values) for bar in item.bars), default=0.0)
    drawn = tuple(_drawn(bar, sum(bar.values) if item.scale == "own" else longest) for bar in item.bars)
    legend = tuple(
        (part, tuple((short(bar.values[number]), share(bar.values[number], sum(bar.values))) for bar in item.bars))
        for number, part in enumerate(item.parts)
    )
    return DrawnBars(drawn, legend)


def short(value: float) -> str:
    """A number with three digits and a decimal prefix: 11.3M, 6,780, 942, 0.05; nothing is `–`."""
    if value == 0:
        return "–"
    if 1000 <= abs(value) < _WHOLE:
        return f"{value:,.0f}"
    for size, suffix in _SUFFIXES:
        if abs(value) >= 0.9995 * size:
            return f"{_three_digits(value / size)}{suffix}"
    return _three_digits(value)


def share(value: float, total: float) -> str:
    """A share in percent; nothing has none, and what is less than a tenth of a percent says so."""
    percent = 100 * value / total if total else 0.0
    if percent == 0:
        return ""
    return "<0.1%" if percent < 0.05 else f"{percent:.1f}%"


def _three_digits(value: float) -> str:
    decimals = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _drawn(bar: Bar, scale: float) -> DrawnBar:
    pieces: Sequence[Piece] = [
        Piece(number, width, f"{round(100 * value / sum(bar.values))}%" if width >= NAMED_FROM else "")
        for number, value in enumerate(bar.values)
        if value and (width := round(100 * value / scale, 3))
    ]
    return DrawnBar(bar.name, short(sum(bar.values)), bar.unit, tuple(pieces))
