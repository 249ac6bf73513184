"""The lines of a file divided into documents of paragraphs, a line at a time."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from typing import IO

from bertsmith.data.compressed import opened_text
from bertsmith.data.corpus_files import Content, CorpusFile
from bertsmith.data.corpus_json import json_texts
from bertsmith.data.corpus_parquet import parquet_texts
from bertsmith.data.corpus_shape import EXTRACTED, heading_text, indent, is_tag, is_title

LONGEST_LINE = 1_000_000  # characters; a longer one is cut at a sentence, so that memory stays bounded
_EASTERN = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…"
_NO_BLANK = re.compile(f"[{_EASTERN}]")
_SENTENCE_END = re.compile(r"[。！？；!?.]\s*(?=[^。！？；!?.]*$)")


def paragraphs_of(file: CorpusFile, field: str) -> Iterator[Iterator[str]]:
    """The paragraphs (or sentences) of each document of a file; each must be read before the next is asked for."""
    if file.content is not Content.TEXT:
        for text in _texts(file, field):
            rows = iter(text.splitlines())
            yield (line for line in (_unwrapped(rows) if file.shape.lines == "wrapped" else rows) if line.strip())
        return
    with opened_text(file.path, file.encoding) as opened:
        lines = _lines(opened)
        if file.shape.lines == "wrapped" and file.shape.documents != "line":
            lines = _unwrapped(lines)
        yield from _divided(lines, file.shape.documents)


def _texts(file: CorpusFile, field: str) -> Iterator[str]:
    if file.content is Content.PARQUET:
        return parquet_texts(file.path, field)
    return json_texts(file.path, file.encoding, field)


def _divided(lines: Iterator[str], documents: str) -> Iterator[Iterator[str]]:
    """Cut a stream of lines into documents without holding one in memory."""
    pending: list[str] = []  # the title that ended the document before

    def rest_of_document() -> Iterator[str]:
        if pending:
            yield heading_text(pending.pop())
        for line in lines:
            if documents == "title" and is_title(line):
                pending.append(line)
                return
            if documents == EXTRACTED and is_tag(line):
                if "</doc>" in line:
                    return
            elif line.strip():
                yield _as_meant(line, documents)
            if documents == "line" or (documents == "blank-line" and not line.strip()):
                return
        ended.append(True)

    ended: list[bool] = []
    while not ended:
        yield rest_of_document()


def _as_meant(line: str, documents: str) -> str:
    """A line without the marks of a heading, or without the escapes that WikiExtractor writes."""
    if documents == "title":
        return heading_text(line)
    return unescape(line) if documents == EXTRACTED and "&" in line else line


def _lines(opened: IO[str]) -> Iterator[str]:
    """The lines of a file without their ends; one over a million characters is cut, at a sentence if it can be."""
    carried = ""
    while piece := opened.readline(LONGEST_LINE):
        line = carried + piece
        carried = ""
        if not piece.endswith("\n") and len(piece) == LONGEST_LINE:
            end = _SENTENCE_END.search(line)
            line, carried = (line[: end.end()], line[end.end() :]) if end else (line, "")
        yield line.strip("\ufeff\r\n")
    if carried:
        yield carried


def _unwrapped(lines: Iterator[str]) -> Iterator[str]:
    """Join the lines of each paragraph, which ends at a blank line (kept) or before a line with a deeper indent."""
    parts: list[str] = []
    size = depth = 0
    for line in lines:
        blank = not line.strip()
        if parts and (blank or indent(line) > depth or _stands_alone(line) or _stands_alone(parts[-1]) or size > LONGEST_LINE):
            yield _joined(parts)
            parts, size = [], 0
        if blank:
            yield ""
        else:
            parts.append(line.strip())
            size, depth = size + len(line), indent(line)
    if parts:
        yield _joined(parts)


def _stands_alone(line: str) -> bool:
    return is_title(line) or is_tag(line)


def _joined(parts: list[str]) -> str:
    """Lines to a paragraph: a blank between them, but none between Chinese characters or behind a hyphen or dash in a word."""
    text = [parts[0]]
    for before, after in pairwise(parts):
        eastern = _NO_BLANK.match(before[-1]) and _NO_BLANK.match(after[0])
        hyphen = before.endswith("-") and before[-2:-1].strip() and after[0].isalpha()
        text.append(after if eastern or hyphen else f" {after}")
    return "".join(text)
