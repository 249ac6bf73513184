"""Raw text to documents of sentences, a document at a time, in bounded memory."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np

from bertsmith.data.corpus_files import CorpusFile, empty_corpus, json_texts, survey
from bertsmith.data.corpus_shape import heading_text, indent, is_title
from bertsmith.files import sha256_of
from bertsmith.progress import Listener, ignore, note
from bertsmith.seeds import uniform
from bertsmith.text.sentences import split_sentences
from bertsmith.text.settings import CorpusSettings

TRAIN, HELD_OUT = "train", "held-out"
LONGEST = 1_000_000  # characters of a document; Google's pairs never need more, and memory stays bounded
_BLOCK = 4096  # documents whose draws are made at once
_EASTERN = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…"
_NO_BLANK = re.compile(f"[{_EASTERN}]")
_SENTENCE_END = re.compile(r"[。！？；!?.]\s*(?=[^。！？；!?.]*$)")


@dataclass(frozen=True)
class Document:
    """The sentences of a document, the file that it comes from, and whether it is held out."""

    sentences: tuple[str, ...]
    source: str
    split: str = TRAIN


@dataclass(frozen=True)
class Corpus:
    """Checked files that can be read any number of times.

    Args:
        root: the file or folder that was asked for.
        files: its files, in the order of reading.
        text_field: field of a json line that holds the text.
    """

    root: Path
    files: tuple[CorpusFile, ...]
    text_field: str

    @property
    def sha256(self) -> str:
        """One hash for names, contents and shapes of all files: what the documents are a function of."""
        facts = [f"{file.name} {file.sha256} {file.encoding} {file.shape}" for file in self.files]
        return sha256_of("\n".join([self.text_field, *facts]).encode())

    def documents(self, listen: Listener = ignore) -> Iterator[Document]:
        """The documents in order; one over a million characters is cut at a sentence and goes on as the next.

        Raises:
            DataError: there is no sentence in any file.
        """
        read = cut = 0
        for file in self.files:
            for paragraphs in _documents_of(file, self.text_field):
                parts = 0
                for sentences in _bounded(_sentences(paragraphs, file.shape.lines)):
                    parts += 1
                    yield Document(tuple(sentences), file.name)
                read, cut = read + parts, cut + max(parts - 1, 0)
        if cut:
            listen(
                note(
                    "documents-cut",
                    "documents over {longest} characters were cut at a sentence {cut} times; each part counts as a document",
                    longest=LONGEST,
                    cut=cut,
                )
            )
        if not read:
            raise empty_corpus(self.root)


def open_corpus(settings: CorpusSettings, listen: Listener = ignore) -> Corpus:
    """Find and check all files of a corpus before any long work.

    Args:
        settings: where the text is and how it is read.
        listen: told the encodings and what documents and lines are.

    Raises:
        DataError: nothing to read, or files that cannot be read; the faults of all files at once.
    """
    return Corpus(settings.corpus, survey(settings, listen), settings.text_field)


def read_corpus(settings: CorpusSettings, listen: Listener = ignore) -> Iterator[Document]:
    """The documents of a corpus whose files have all been checked: `open_corpus` and `documents` in one."""
    return open_corpus(settings, listen).documents(listen)


def assign_split(documents: Iterable[Document], share: float, seed: int) -> Iterator[Document]:
    """Hold out a share of the documents, each by its number alone; the first always stays for training.

    Args:
        documents: the documents in their order.
        share: probability of each to be held out, 0 to 1.
        seed: seed of the choice.
    """
    chosen: list[bool] = []
    for number, document in enumerate(documents):
        if number % _BLOCK == 0:
            chosen = (uniform(seed, "held-out", np.arange(number, number + _BLOCK)) < share).tolist()
        yield replace(document, split=HELD_OUT) if number and chosen[number % _BLOCK] else document


def _documents_of(file: CorpusFile, field: str) -> Iterator[Iterator[str]]:
    """The paragraphs (or sentences) of each document of a file; each must be read before the next is asked for."""
    if file.json_lines:
        for text in json_texts(file, field):
            lines = iter(text.splitlines())
            yield (line for line in (_unwrapped(lines) if file.shape.lines == "wrapped" else lines) if line.strip())
        return
    with open(file.path, encoding=file.encoding) as opened:
        lines = _lines(opened)
        if file.shape.lines == "wrapped" and file.shape.documents != "line":
            lines = _unwrapped(lines)
        yield from _divided(lines, file.shape.documents)


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
            if line.strip():
                yield heading_text(line) if documents == "title" else line
            if documents == "line" or (documents == "blank-line" and not line.strip()):
                return
        ended.append(True)

    ended: list[bool] = []
    while not ended:
        yield rest_of_document()


def _lines(opened: IO[str]) -> Iterator[str]:
    """The lines of a file without their ends; one over a million characters is cut, at a sentence if it can be."""
    carried = ""
    while piece := opened.readline(LONGEST):
        line = carried + piece
        carried = ""
        if not piece.endswith("\n") and len(piece) == LONGEST:
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
        if parts and (blank or indent(line) > depth or is_title(line) or is_title(parts[-1]) or size > LONGEST):
            yield _joined(parts)
            parts, size = [], 0
        if blank:
            yield ""
        else:
            parts.append(line.strip())
            size, depth = size + len(line), indent(line)
    if parts:
        yield _joined(parts)


def _joined(parts: list[str]) -> str:
    """Lines to a paragraph: a blank between them, but none between Chinese characters or behind a hyphen or dash in a word."""
    text = [parts[0]]
    for before, after in pairwise(parts):
        eastern = _NO_BLANK.match(before[-1]) and _NO_BLANK.match(after[0])
        hyphen = before.endswith("-") and before[-2:-1].strip() and after[0].isalpha()
        text.append(after if eastern or hyphen else f" {after}")
    return "".join(text)


def _sentences(paragraphs: Iterator[str], lines: str) -> Iterator[str]:
    for paragraph in paragraphs:
        if lines == "sentence":
            yield paragraph.strip()
        else:
            yield from split_sentences(paragraph)


def _bounded(sentences: Iterator[str]) -> Iterator[list[str]]:
    """The sentences of a document, cut where it grows over the longest; nothing for an empty one."""
    kept: list[str] = []
    size = 0
    for sentence in sentences:
        if kept and size + len(sentence) > LONGEST:
            yield kept
            kept, size = [], 0
        kept.append(sentence)
        size += len(sentence)
    if kept:
        yield kept
