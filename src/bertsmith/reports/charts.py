"""Where everything of a chart or a confusion matrix stands; the template puts it on the page.

Lines are SVG paths in a box that stretches with the page; ticks and names are html beside it, so that text keeps its size
on a phone, exists in both languages and takes its colour from the style sheet (docs/decisions/0002-charts.md).
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bertsmith.messages import Phrase
from bertsmith.records.page import Chart, Confusion, Series
from bertsmith.reports.cells import number_text

POINTS = 600  # of a series: a plot is about 700 pixels wide, and ten such series stay within 250 kB
COLOURS = 6  # that the style sheet has, `line-0` …; further lines repeat them, dotted
FEW, MANY = 40, 200  # up to so many points each is marked; from so many on the line is drawn lighter
WIDTH, HEIGHT = 4000, 2000  # of the stretching box: whole coordinates are finer than a pixel
NAMED_COLUMNS = 6  # labels that fit over the columns of a confusion matrix; more are numbered
COUNTED = 10  # labels up to which a cell shows its count beside its share


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in percent from the left or the bottom, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A series as drawn: SVG path data of the line and of the marked points, and what the legend says."""

    name: Phrase
    path: str
    dots: str
    style: str
    last: str
    constant: bool


@dataclass(frozen=True)
class Drawing:
    """A chart as drawn; without ticks where nothing was logged. `gutter` is the width of the widest y tick in characters."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    gutter: int
    thinned: bool


def thin(series: Series, points: int = POINTS) -> Series:
    """About `points` points of a long series: both ends, and of each stretch the lowest and the highest.

    A stretch that holds values which are no numbers keeps one of them as well, so that a broken line stays broken.
    """
    n = len(series.xs)
    if n <= points:
        return series
    stretches = (points - 2) // 2
    keep = {0, n - 1}
    for k in range(stretches):
        span = range(n * k // stretches, n * (k + 1) // stretches)
        numbers = [i for i in span if math.isfinite(series.ys[i])]
        keep.update([i for i in span if not math.isfinite(series.ys[i])][:1])
        if numbers:
            keep.update((min(numbers, key=series.ys.__getitem__), max(numbers, key=series.ys.__getitem__)))
    kept = sorted(keep)
    return dataclasses.replace(series, xs=tuple(series.xs[i] for i in kept), ys=tuple(series.ys[i] for i in kept))


def draw(chart: Chart) -> Drawing:
    """Where the lines and ticks of a chart stand."""
    series = [thin(one) for one in chart.series]
    points = [(x, y) for one in series for x, y in zip(one.xs, one.ys) if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return Drawing((), (), (), 1, thinned=False)
    left, right = _widened(min(x for x, _ in points), max(x for x, _ in points))
    low, high = _padded(*_widened(min(y for _, y in points), max(y for _, y in points)))
    y_ticks = ticks(low, high)
    return Drawing(
        x_ticks=ticks(left, right, whole=all(x == round(x) for x, _ in points)),
        y_ticks=y_ticks,
        lines=tuple(_line(one, i, (left, right), (low, high)) for i, one in enumerate(series)),
        gutter=max(len(tick.text) for tick in y_ticks),
        thinned=any(len(one.xs) < len(whole.xs) for one, whole in zip(series, chart.series)),
    )


def ticks(low: float, high: float, *, wanted: int = 5, whole: bool = False) -> tuple[Tick, ...]:
    """About `wanted` round places (1, 2 or 5 times a power of ten apart) between two bounds; `whole` steps are at least 1."""
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    step = max(step, 1.0) if whole else step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [round(k * step, decimals) for k in range(first, last + 1)]
    return tuple(Tick(round(100 * (value - low) / (high - low), 2), _tick_text(value, decimals)) for value in values)


def _tick_text(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.10g}M"
    return f"{value:,.{decimals}f}" if decimals <= 4 else f"{value:.10g}"


def _widened(low: float, high: float) -> tuple[float, float]:
    """Bounds with something between them."""
    if low < high:
        return low, high
    half = abs(low) / 20 or 0.5
    return low - half, high + half


def _padded(low: float, high: float) -> tuple[float, float]:
    """Air above and below the lines; what is never negative is not given room below zero."""
    air = (high - low) / 20
    return (max(0.0, low - air) if low >= 0 else low - air), high + air


def _line(series: Series, index: int, x_range: tuple[float, float], y_range: tuple[float, float]) -> Line:
    places = [_place(x, y, x_range, y_range) for x, y in zip(series.xs, series.ys)]
    standing = [place for place in places if place]
    numbers = [y for y in series.ys if math.isfinite(y)]
    kind = " dashed" if series.dashed else " dotted" if index >= COLOURS else " dense" if len(places) >= MANY else ""
    return Line(
        name=series.name,
        path=_path(places),
        dots="".join(f"M{place}h0" for place in standing) if len(standing) <= FEW and not series.dashed else "",
        style=f"line-{index % COLOURS}{kind}",
        last=number_text(float(numbers[-1])) if numbers else "",
        constant=len(set(numbers)) == 1 and len(numbers) > 1,
    )


def _place(x: float, y: float, x_range: tuple[float, float], y_range: tuple[float, float]) -> str | None:
    """A point in the stretching box, None where there is no number."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    across = (x - x_range[0]) / (x_range[1] - x_range[0])
    down = (y_range[1] - y) / (y_range[1] - y_range[0])
    return f"{round(across * WIDTH)} {round(down * HEIGHT)}"


def _path(places: Sequence[str | None]) -> str:
    """Path data that begins anew after each gap."""
    parts, before = [], None
    for place in places:
        if place is not None:
            parts.append(f" {place}" if before is not None else f"M{place}")
        before = place
    return "".join(parts)


@dataclass(frozen=True)
class Share:
    """A cell of a confusion matrix: its count, its share of the row (0 to 1) and that share as text in percent."""

    count: int
    share: float
    text: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix as drawn: column heads, and for each label its cells and the number of its examples."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Share, ...], int], ...]
    numbered: bool
    counted: bool


def matrix(confusion: Confusion) -> Matrix:
    """Row shares of a confusion matrix; with many labels the columns carry numbers, which the rows explain."""
    labels = confusion.labels
    numbered = len(labels) > NAMED_COLUMNS
    return Matrix(
        heads=tuple(str(i + 1) for i in range(len(labels))) if numbered else labels,
        rows=tuple((label, _shares(counts), sum(counts)) for label, counts in zip(labels, confusion.counts)),
        numbered=numbered,
        counted=len(labels) <= COUNTED,
    )


def _shares(counts: Sequence[int]) -> tuple[Share, ...]:
    total = sum(counts) or 1
    return tuple(Share(count, round(count / total, 3), _percent(count, total)) for count in counts)


def _percent(count: int, total: int) -> str:
    if count == 0:
        return "·"
    percent = round(100 * count / total)
    return "<1" if percent == 0 else ">99" if percent == 100 and count < total else str(percent)
