"""Fields between separators: the separator is found, quotes are read as they are meant, all faults are told with their lines."""

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.data.encodings import shortened
from bertsmith.errors import DataError

SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
QUOTES_ARE_PLAIN: dict[str, Any] = {"quoting": csv.QUOTE_NONE, "quotechar": None}
_SAMPLE = 2**16  # characters that the separator is found in; assumed
_FIELD_LIMIT = threading.Lock()


@dataclass(frozen=True)
class Delimited:
    """Records of a text, the header first.

    Args:
        rows: the fields of each record, as many as the header has.
        lines: 1-based line that each record begins on.
        separator: a key of `SEPARATORS`.
        quoted: whether quotes hold a field together; False where they are plain characters.
        blank: how many blank records were left out.
    """

    rows: list[list[str]]
    lines: list[int]
    separator: str
    quoted: bool
    blank: int


@dataclass(frozen=True)
class _Parsed:
    rows: list[list[str]]
    lines: list[int]
    faults: list[DataError]
    blank: int


def read_delimited(text: str, path: Path, separator: str = "auto") -> Delimited:
    """The records of a text.

    Args:
        text: the whole file.
        path: for messages, and for its ending where the text does not show the separator.
        separator: a key of `SEPARATORS`, or `auto`.

    Raises:
        DataError: all rows with more or fewer fields than the header, and all quotes that do not pair up.
    """
    with _long_fields():
        name = _find_separator(text, path) if separator == "auto" else separator
        parsed, quoted = _parse(path, text, SEPARATORS[name], quoted=True), True
        if name == "tab" and '"' in text:  # GLUE's tables, and many after them, are written without quoting
            plain = _parse(path, text, SEPARATORS[name], quoted=False)
            if _reads_better(plain, parsed):
                parsed, quoted = plain, False
    if parsed.faults:
        raise DataError.all_of(shortened(parsed.faults, path))
    return Delimited(parsed.rows, parsed.lines, name, quoted, parsed.blank)


def _find_separator(text: str, path: Path) -> str:
    """The separator that gives the header at least two fields and most rows as many; by the file's name if none does."""
    sample = text[:_SAMPLE]
    best, best_score = "tab" if path.suffix.lower() in (".tsv", ".tab") else "comma", (0.0, 0)
    for name, separator in SEPARATORS.items():
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row]
        rows = rows[:-1] if len(text) > len(sample) else rows
        width = len(rows[0]) if rows else 0
        score = (sum(len(row) == width for row in rows) / max(1, len(rows)), width)
        if width > 1 and score > best_score:
            best, best_score = name, score
    return best


def _parse(path: Path, text: str, separator: str, *, quoted: bool) -> _Parsed:
    rows: list[list[str]] = []
    lines: list[int] = []
    faults: list[DataError] = []
    blank, width = 0, None
    for line, row in _records(text, separator, quoted=quoted):
        if isinstance(row, csv.Error):
            faults.append(_bad_quotes(path, line))
        elif not any(cell.strip() for cell in row):
            blank += bool(row)
        elif width is not None and len(row) != width:
            faults.append(_ragged(path, line, len(row), width))
        else:
            width = len(row)
            rows.append(row)
            lines.append(line)
    return _Parsed(rows, lines, faults, blank)


def _records(text: str, separator: str, *, quoted: bool) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Each record with the line that it begins on; in the place of one that cannot be read, its error."""
    options: dict[str, Any] = {"strict": True} if quoted else QUOTES_ARE_PLAIN
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, **options)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module refuses fields above 128 KiB unless told otherwise, for the whole process; it is told for a while only."""
    with _FIELD_LIMIT:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _reads_better(plain: _Parsed, quoted: _Parsed) -> bool:
    """Whether a tab-separated file means its quotes as plain characters.

    Where both readings are whole, a quoted field that ran over line ends swallowed rows that are whole without quoting.
    """
    if bool(plain.faults) != bool(quoted.faults):
        return bool(quoted.faults)
    if plain.faults:
        return len(plain.faults) < len(quoted.faults)
    return len(plain.rows) > len(quoted.rows)


def _ragged(path: Path, line: int, found: int, expected: int) -> DataError:
    return DataError(
        "ragged-row",
        "the row has {found} fields, the header {expected}",
        where=f"{path}:{line}",
        do="put a text that holds the separator in double quotes, or choose another --separator",
        found=found,
        expected=expected,
    )


def _bad_quotes(path: Path, line: int) -> DataError:
    return DataError(
        "bad-quotes",
        "a double quote in the row that begins here is not closed, or stands inside a quoted field",
        where=f"{path}:{line}",
        do='close the quote; inside a quoted field write it twice: "she said ""yes"""',
    )
