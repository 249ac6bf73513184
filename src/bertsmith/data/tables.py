"""Labelled tables: csv with any usual separator, json lines, or a text a line; encoding and separator are found and said.

Everything is a text until a task reads it. Each row keeps the line of the file that it begins on, for messages.
"""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.data.delimited import QUOTES_ARE_PLAIN, SEPARATORS, read_delimited
from bertsmith.data.encodings import Decoded, beyond_ascii, decode, is_doubtful, shortened
from bertsmith.data.settings import TableSettings
from bertsmith.errors import DataError
from bertsmith.files import write_aside
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, note, warning

JSON_LINES, TEXT_LINES = "json lines", "text lines"
_SEPARATOR_NAMES = {
    "comma": Phrase("comma", "以逗号分隔"),
    "tab": Phrase("tab", "以制表符分隔"),
    "semicolon": Phrase("semicolon", "以分号分隔"),
    "pipe": Phrase("pipe", "以竖线分隔"),
    JSON_LINES: Phrase("json lines", "每行一个 JSON"),
    TEXT_LINES: Phrase("text lines", "每行一条文本"),
}
_LONG_NAME = 60  # a longer first cell is a text, not the name of a column; assumed
_WITH_MARK = ("utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk", "gb2312")


@dataclass(frozen=True)
class Table:
    """A table as it stood in a file.

    Args:
        path: the file.
        columns: names of the columns, without blanks around them.
        rows: the cells of each row, as many as columns.
        lines: 1-based line of the file that each row begins on.
        encoding: encoding of the file, `utf-8-sig` where it began with a mark.
        separator: `comma`, `tab`, `semicolon`, `pipe`, `json lines` or `text lines`.
        quoted: whether quotes hold a field together; False where they are plain characters.
        objects: of json lines, the objects as they were.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lines: list[int]
    encoding: str
    separator: str
    quoted: bool = True
    objects: tuple[Mapping[str, Any], ...] = ()

    def column(self, name: str) -> list[str]:
        """The cells of a column, top to bottom."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


def read_table(path: Path, settings: TableSettings, listen: Listener = ignore) -> Table:
    """Read a csv, tsv or json-lines file; what it is shows in its content, not in its name.

    Raises:
        DataError: no such file, no text, no header, no rows; or all ragged rows, bad quotes and bad json lines, with their lines.
    """
    decoded = _read(path, settings, listen)
    start = decoded.text.lstrip()[:1]
    if settings.separator == "auto" and start == "{":
        table = _json_lines(path, decoded, listen)
    elif settings.separator == "auto" and start == "[" and _is_json(decoded.text):
        raise DataError(
            "json-list",
            "the file is one json list, not json lines",
            where=path,
            do="write one object a line, without the brackets and commas around them",
        )
    else:
        table = _delimited(path, decoded, settings.separator, listen)
    _said(table, listen)
    return table


def read_text_lines(path: Path, settings: TableSettings, listen: Listener = ignore) -> Table:
    """Read a file with a text a line as a table with the one column `text`; blank lines are left out."""
    decoded = _read(path, settings, listen)
    every = [line.rstrip("\n") for line in io.StringIO(decoded.text, newline=None)]
    lines = [number for number, line in enumerate(every, 1) if line.strip()]
    rows: list[tuple[str, ...]] = [(every[number - 1],) for number in lines]
    table = Table(path, ("text",), rows, lines, decoded.encoding, TEXT_LINES)
    _said(table, listen)
    return table


def write_rows(table: Table, path: Path, added: Mapping[str, Sequence[str | float]]) -> tuple[str, ...]:
    """Write a table again, all its columns kept, with new ones to the right; the place is taken only when the file is complete.

    The file is UTF-8. It begins with a mark where the table did, and where the table was GB18030 or UTF-16: the spreadsheet
    programs that write those open UTF-8 rightly only with the mark.

    Args:
        table: what was read; json lines stay json lines, a text a line becomes a csv.
        path: the new file.
        added: a value a row for each new column; numbers are written with six decimals.

    Returns:
        The names of the new columns; one that the table has already got a number behind it.
    """
    names = tuple(_free(name, table.columns) for name in added)
    with write_aside(path) as file:
        if table.encoding in _WITH_MARK and table.separator != JSON_LINES:
            file.write("\ufeff")
        if table.separator == JSON_LINES:
            for old, *new in zip(table.objects, *added.values(), strict=True):
                values = {name: _rounded(value) for name, value in zip(names, new, strict=True)}
                file.write(json.dumps({**old, **values}, ensure_ascii=False) + "\n")
            return names
        separator = SEPARATORS.get(table.separator, ",")
        writer = csv.writer(file, delimiter=separator, lineterminator="\n", **({} if table.quoted else QUOTES_ARE_PLAIN))
        writer.writerow([*table.columns, *names])
        for cells, *new in zip(table.rows, *added.values(), strict=True):
            writer.writerow([*cells, *map(_rounded, new)])
    return names


def quoted(names: Sequence[str]) -> str:
    """Names of columns as messages tell them: each in quotes."""
    return ", ".join(map(repr, names))


def _free(name: str, taken: Sequence[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _rounded(value: str | float) -> str | float:
    return round(value, 6) if isinstance(value, float) else value


def _read(path: Path, settings: TableSettings, listen: Listener) -> Decoded:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            "cannot-read-table",
            "the table cannot be read: {reason}",
            where=path,
            do="check the path; it must be a file that you may read",
            reason=error.strerror,
        ) from error
    if data.startswith((b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\xfd7zXZ")):
        raise DataError(
            "binary-table",
            "the file is a spreadsheet, a parquet file or an archive, not a text file",
            where=path,
            do="save it as csv (UTF-8), or unpack it",
        )
    decoded = decode(data, path, settings.encoding)
    if settings.encoding == "auto" and is_doubtful(foreign := beyond_ascii(data, decoded.encoding), len(data)):
        listen(
            warning(
                "encoding-guessed",
                "{path}: read as {encoding} on a guess by the {foreign} of its {size} bytes that are not ASCII; "
                "if characters are wrong, name the encoding with --encoding",
                path=path,
                encoding=decoded.encoding,
                foreign=f"{foreign:,}",
                size=f"{len(data):,}",
            )
        )
    if not decoded.text.strip("\ufeff \t\r\n"):
        raise DataError("empty-table", "the file is empty", where=path, do="give a table with a header and rows")
    return decoded


def _said(table: Table, listen: Listener) -> None:
    if not table.rows:
        raise DataError("no-rows", "the table has a header and no rows", where=table.path, do="give a table with rows")
    listen(
        note(
            "table-read",
            "{path}: {rows} rows, columns {columns}; {encoding}, {separator}",
            path=table.path,
            rows=len(table.rows),
            columns=quoted(table.columns),
            encoding=table.encoding,
            separator=_SEPARATOR_NAMES[table.separator],
        )
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _json_lines(path: Path, decoded: Decoded, listen: Listener) -> Table:
    objects, lines, faults = [], [], []
    for number, line in enumerate(decoded.text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            faults.append(_bad_json(path, number, str(error)))
            continue
        if isinstance(value, dict):
            objects.append(value)
            lines.append(number)
        else:
            faults.append(_bad_json(path, number, f"not an object but {type(value).__name__}"))
    if faults:
        raise DataError.all_of(shortened(faults, path))
    keys = list(dict.fromkeys(key for value in objects for key in value))
    rows = [tuple(_cell(value.get(key)) for key in keys) for value in objects]
    return Table(path, _names(keys, path, listen), rows, lines, decoded.encoding, JSON_LINES, objects=tuple(objects))


def _bad_json(path: Path, line: int, reason: str) -> DataError:
    return DataError(
        "bad-json-line",
        "the line is no json object: {reason}",
        where=f"{path}:{line}",
        do="mend or delete the line; each line is one object in braces",
        reason=reason,
    )


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return json.dumps(value, ensure_ascii=False)


def _delimited(path: Path, decoded: Decoded, wanted: str, listen: Listener) -> Table:
    found = read_delimited(decoded.text, path, wanted)
    if not found.quoted:
        listen(note("quotes-plain", "{path}: quotes do not pair up, so they are read as plain characters", path=path))
    if found.blank:
        listen(note("blank-rows", "{path}: {count} blank rows are left out", path=path, count=found.blank))
    header, *rows = found.rows
    _check_header(header, rows, path, found.lines[0])
    cells = [tuple(row) for row in rows]
    return Table(path, _names(header, path, listen), cells, found.lines[1:], decoded.encoding, found.separator, found.quoted)


def _check_header(header: list[str], rows: list[list[str]], path: Path, line: int) -> None:
    """Refuse a first line that is a row: a number, a long text, or a value that its column repeats."""
    for place, name in enumerate(header):
        repeats = sum(row[place] == name for row in rows) if name.strip() else 0
        numbers = _is_number(name) and all(_is_number(row[place]) for row in rows)
        if numbers or len(name) > _LONG_NAME or repeats > 1:
            raise DataError(
                "no-header",
                "the first line looks like a row, not like names of columns: {cell!r}",
                where=f"{path}:{line}",
                do="put a first line with the names of the columns, such as text and label",
                cell=name if len(name) <= _LONG_NAME else name[:_LONG_NAME] + "…",
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(header: Sequence[str], path: Path, listen: Listener) -> tuple[str, ...]:
    names = tuple(name.strip("\ufeff \t\r\n\u3000\xa0") for name in header)
    changed = [name for name, before in zip(names, header, strict=True) if name != before]
    if changed:
        listen(
            warning(
                "header-blanks",
                "{path}: blanks around the column names {names} are taken off",
                path=path,
                names=quoted(changed),
            )
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            "duplicate-columns",
            "columns have the same name: {names}",
            where=path,
            do="give each column its own name",
            names=quoted(twice),
        )
    return names
