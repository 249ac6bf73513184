"""Json lines: a document a line, its text in a field."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertsmith.data.compressed import opened_text
from bertsmith.data.corpus_shape import SAMPLE_BYTES
from bertsmith.data.encodings import shortened
from bertsmith.errors import DataError

LONGEST_LINE = 2**26  # characters, so that a damaged file does not fill the memory
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which JSON can hold and no encoding can write


def checked_texts(path: Path, encoding: str, field: str) -> list[str]:
    """The texts at the beginning of a file of json lines; every line of it is checked.

    Raises:
        DataError: lines that are no json object or lack the field; the first ten, and how many more.
    """
    faults: list[DataError] = []
    texts: list[str] = []
    kept = 0
    for number, line in _numbered(path, encoding):
        try:
            text = text_of(line, field, f"{path}:{number}")
        except DataError as fault:
            faults.append(fault)
            continue
        if kept < SAMPLE_BYTES:
            texts.append(text[:SAMPLE_BYTES])
            kept += len(text)
    if faults:
        raise DataError.all_of(shortened(faults, path))
    return texts


def json_texts(path: Path, encoding: str, field: str) -> Iterator[str]:
    """The text of every line of a checked file of json lines."""
    for number, line in _numbered(path, encoding):
        yield text_of(line, field, f"{path}:{number}")


def is_json_object(line: str) -> bool:
    """Whether a line is a json object."""
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _numbered(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    with opened_text(path, encoding) as lines:
        number = 0
        while line := lines.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise DataError(
                    "json-line-long",
                    "the line is longer than {longest} characters",
                    where=f"{path}:{number}",
                    do="divide the text among several lines",
                    longest=f"{LONGEST_LINE:,}",
                )
            if line.strip("\ufeff \t\r\n"):
                yield number, line


def text_of(line: str, field: str, where: str) -> str:
    """The text in a json line.

    Raises:
        DataError: no json object, or no text in the field.
    """
    content = json_value(line, where)
    text = content.get(field) if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise DataError(
            "json-field",
            "there is no text in the field {field!r}",
            where=where,
            do="name the field that holds the text with --text-field; this line has: {fields}",
            field=field,
            fields=", ".join(content) if isinstance(content, dict) else type(content).__name__,
        )
    return _SURROGATE.sub("\ufffd", text)


def json_value(line: str, where: str) -> Any:
    """What a json line says.

    Raises:
        DataError: it is not valid.
    """
    try:
        return json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise DataError(
            "json-line",
            "this is not valid JSON: {reason}",
            where=where,
            do="mend the line: a line holds one whole object",
            reason=error,
        ) from error
