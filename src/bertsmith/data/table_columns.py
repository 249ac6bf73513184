"""Which column of a table is the text, which the second text of a pair, which the label: by name, then by content."""

import re
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bertsmith.config.fields import nearest
from bertsmith.data.settings import TableSettings
from bertsmith.data.tables import Table, quoted
from bertsmith.errors import DataError, UsageError
from bertsmith.progress import Listener, ignore, note

Wanted = Literal["auto", "classify", "classify-pairs"]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Each list in the order of preference; a name counts without case, blanks, hyphens and underscores.
_TEXTS = _names(
    "text sentence review content comment texta text1 sentence1 document body message tweet utterance query question premise"
    " passage description post input title headline 文本 评论 评价 句子 内容 正文 评论内容 留言 问题 问句 语句 短文本 新闻 摘要 描述 标题"
    " 文本1 句子1 文本a 句子a 前提"
)
_LABELS = _names(
    "label labels class category sentiment target tag topic intent polarity emotion rating stars star score gold y"
    " 标签 情感 类别 分类 标注 类型 情绪 极性 主题 意图 星级 评分 情感倾向 情感极性 等级 是否相似"
)
_PAIRS = (
    *((f"{word}1", f"{word}2") for word in ("sentence", "text", "question", "s", "文本", "句子", "问题", "q", "sent")),
    *((f"{word}a", f"{word}b") for word in ("text", "sentence", "question", "文本", "句子")),
    *(("premise", "hypothesis"), ("前提", "假设"), ("question", "sentence"), ("question", "answer"), ("问题", "答案")),
    *(("query", "passage"), ("query", "document"), ("query", "title"), ("text", "textpair"), ("问题", "回答")),
    *(("文本一", "文本二"), ("句子一", "句子二"), ("first", "second"), ("text", "hypothesis"), ("query", "answer")),
    *(("question", "passage"), ("query", "response")),
)
_NUMBERED = frozenset(("id", "ids", "idx", "index", "number", "编号", "序号"))
_SHORT_LABEL = 60  # characters; a longer cell is a text; assumed
_FEW_CLASSES = 200  # assumed; the intents of CLINC are 150
_SAMPLE = 2000  # rows that the content is judged on; assumed


@dataclass(frozen=True)
class Columns:
    """Names of the columns that a task reads; `pair` is None for single texts, `label` None where there is none."""

    text: str
    pair: str | None = None
    label: str | None = None


def infer_columns(table: Table, settings: TableSettings, *, task: Wanted = "auto", listen: Listener = ignore) -> Columns:
    """The columns that are named in the settings; the others by their names, then by their content.

    Two texts are taken for a pair where their names say so (`sentence1` and `sentence2`, `premise` and `hypothesis`, 句子1 and
    句子2 …) or where the second is named in the settings.

    Args:
        table: the table.
        settings: names that a person gave.
        task: `classify` never takes a second text, `classify-pairs` must have one.
        listen: is told what was inferred.

    Raises:
        UsageError: a named column that does not exist (with the nearest), or one column named for two things.
        DataError: no text was found, or no second text where the task wants one.
    """
    for name in filter(None, (settings.text, settings.pair, settings.label)):
        check_column(table, name)
    named = [name for name in (settings.text, settings.pair, settings.label) if name]
    if len(set(named)) < len(named):
        raise UsageError(
            "column-twice",
            "one column is named twice: {names}",
            where=table.path,
            do="name different columns with --text, --pair and --label",
            names=quoted(named),
        )
    label = settings.label or _label_by_name(table, named)
    text, pair = _texts(table, settings, label, pairs_allowed=task != "classify")
    if label is None:
        label = _label_by_content(table, [name for name in (text, pair) if name])
    columns = Columns(text, pair, label)
    if task == "classify-pairs" and pair is None:
        raise DataError(
            "no-second-text",
            "the task judges pairs and only one text was found, the column {text!r}",
            where=table.path,
            do="name the column of the second text with --pair; the columns are: {columns}",
            text=text,
            columns=quoted(table.columns),
        )
    _said(table, columns, listen)
    return columns


def check_column(table: Table, name: str) -> None:
    """Refuse a name that no column has.

    Raises:
        UsageError: with the nearest name.
    """
    if name not in table.columns:
        raise UsageError(
            "unknown-column",
            "there is no column {name!r}",
            where=table.path,
            do="the columns are: {columns}{nearest}",
            name=name,
            columns=quoted(table.columns),
            nearest=nearest(name, table.columns),
        )


def _said(table: Table, columns: Columns, listen: Listener) -> None:
    label = "–" if columns.label is None else repr(columns.label)
    values = {"path": table.path, "text": columns.text, "pair": columns.pair, "label": label}
    if columns.pair is None:
        listen(note("columns-single", "{path}: the text is column {text!r}, the label {label} (--text, --label)", **values))
    else:
        listen(
            note(
                "columns-pair",
                "{path}: the pair is columns {text!r} and {pair!r}, the label {label} (--text, --pair, --label)",
                **values,
            )
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def _words(name: str) -> frozenset[str]:
    """The words of a name such as `review_text`, `reviewText` or `Tweet text`."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", unicodedata.normalize("NFKC", name))
    return frozenset(re.split(r"[\W_]+", spaced.casefold()))


def _by_name(names: Sequence[str], known: Sequence[str]) -> str | None:
    """The first known name that a column has, else the first that is a word of one (in Chinese: a part of one)."""
    plain = {_plain(name): name for name in reversed(names)}
    for wanted in known:
        if wanted in plain:
            return plain[wanted]
    for wanted in known:
        for name in names:
            words = _words(name)
            if not words & _NUMBERED and (wanted in words or (not wanted.isascii() and wanted in name)):
                return name
    return None


def _label_by_name(table: Table, taken: Sequence[str]) -> str | None:
    free = [name for name in table.columns if name and name not in taken]
    short = [name for name in free if not _is_long(table.column(name)[:_SAMPLE])]
    return _by_name(short, _LABELS)


def _is_long(cells: Sequence[str]) -> bool:
    return statistics.fmean(map(len, cells)) > _SHORT_LABEL


def _texts(table: Table, settings: TableSettings, label: str | None, *, pairs_allowed: bool) -> tuple[str, str | None]:
    if settings.text and settings.pair:
        return settings.text, settings.pair
    free = [name for name in table.columns if name and name not in (label, settings.pair)]
    found = _pair_by_name(free, settings.text) if pairs_allowed and not settings.pair else None
    if found:
        return found
    text = settings.text or _by_name(free, _TEXTS) or _longest(table, free)
    return text, settings.pair or None


def _pair_by_name(names: Sequence[str], first: str) -> tuple[str, str] | None:
    plain = {_plain(name): name for name in reversed(names)}
    for one, other in _PAIRS:
        if one in plain and other in plain and first in ("", plain[one]):
            return plain[one], plain[other]
    return None


def _longest(table: Table, names: Sequence[str]) -> str:
    """The column whose cells are longest; numbers are no texts."""
    lengths = {name: _text_length(table.column(name)[:_SAMPLE]) for name in names}
    best = max(names, key=lambda name: lengths[name], default=None)
    if best is None or lengths[best] == 0:
        raise DataError(
            "no-text-column",
            "no column holds texts",
            where=table.path,
            do="name the column of the text with --text; the columns are: {columns}",
            columns=quoted(table.columns),
        )
    return best


def _text_length(cells: Sequence[str]) -> float:
    return statistics.fmean(sum(map(str.isalpha, cell)) for cell in cells)


def _label_by_content(table: Table, taken: Sequence[str]) -> str | None:
    """The column with the fewest different values, each standing for many rows; None where there is none."""
    best, fewest = None, _FEW_CLASSES + 1
    for name in table.columns:
        cells = table.column(name)
        different = len(set(cells))
        repeated = 2 <= different <= len(cells) / 2
        if name not in taken and repeated and different < fewest and not _is_long(cells[:_SAMPLE]):
            best, fewest = name, different
    return best
