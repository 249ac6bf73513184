"""How one value stands on the page: phrases in both languages, numbers, scores with what they mean, settings, hashes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from bertsmith.messages import Phrase
from bertsmith.messages.names import BASELINES, SPLITS, named
from bertsmith.records.page import Cell, Table
from bertsmith.records.scores import Score

NOTHING = "–"
LARGE = 10_000  # below it a number in a table has three decimals like a score, so that a column has one form
HASH_SHOWN = 12  # hex digits that a reader compares; the whole hash is in the title attribute and in the data block


def say(text: Phrase | str) -> Markup:
    """A text as html: a phrase in both languages, of which the page shows one; a plain string as it is."""
    if isinstance(text, str):
        return escape(text)
    if text.en == text.zh:
        return escape(text.en)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-Hans">{}</span>').format(text.en, text.zh)


def number_text(value: float) -> str:
    """A number for a reader: whole ones and large ones with separators, others with four significant digits."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def cell(value: Cell) -> Markup:
    """What a table's cell shows as its first line."""
    if value is None:
        return escape(NOTHING)
    if isinstance(value, Score):
        return escape(value.text())
    if isinstance(value, float) and abs(value) < LARGE:
        return escape(f"{value:.3f}")
    if isinstance(value, (int, float)):
        return escape(number_text(value))
    return say(value)


def numeric_columns(table: Table) -> list[bool]:
    """For each column, whether all its filled cells are numbers or scores; such columns stand to the right."""
    columns = [[row[i] for row in table.rows if i < len(row) and row[i] is not None] for i in range(len(table.columns))]
    return [bool(filled) and all(isinstance(value, (int, float, Score)) for value in filled) for filled in columns]


def facts(score: Score) -> dict[str, Phrase]:
    """What a score says of itself beside its value: split, n, seeds and baseline, as far as it has them."""
    found = {"split": named(SPLITS, score.split), "n": _same(f"n = {score.n:,}")}
    if score.seeds == 1:
        found["seeds"] = Phrase("one seed", "单个种子")
    elif score.seeds > 1:
        found["seeds"] = Phrase(f"mean ± sd over {score.seeds} seeds", f"{score.seeds} 个种子的均值 ± 标准差")
    if score.baseline is not None:
        name, value = named(BASELINES, score.baseline[0]), score.baseline[1]
        found["baseline"] = Phrase(f"against {name.en} {value:.3f}", f"对照：{name.zh} {value:.3f}")
    return found


def shared_facts(table: Table) -> dict[str, Phrase]:
    """The facts that all scores of a table have in common; they are told once, under its title."""
    scores = [facts(value) for row in table.rows for value in row if isinstance(value, Score)]
    if len(scores) < 2:
        return {}
    return {key: value for key, value in scores[0].items() if all(other.get(key) == value for other in scores)}


def own_facts(value: Cell, shared: Mapping[str, Phrase]) -> list[Phrase]:
    """The facts of one score that the table does not tell for all."""
    if not isinstance(value, Score):
        return []
    return [phrase for key, phrase in facts(value).items() if key not in shared]


def joined(phrases: Iterable[Phrase]) -> Phrase:
    """Facts in one line."""
    parts = list(phrases)
    return Phrase(" · ".join(part.en for part in parts), " · ".join(part.zh for part in parts))


def setting_text(value: Any) -> str:
    """The value of a setting as a person would type it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(setting_text(item) for item in value) or NOTHING
    return str(value)


def short_hash(value: str) -> Markup:
    """A hash cut to what a reader compares, the whole of it in the title attribute; anything else as it is."""
    if len(value) <= HASH_SHOWN or not set(value) <= set("0123456789abcdef"):
        return escape(value)
    return Markup('<code title="{}">{}…</code>').format(value, value[:HASH_SHOWN])


def _same(text: str) -> Phrase:
    return Phrase(text, text)
