"""Raw text to documents of sentences, a document at a time, in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bertsmith.data.corpus_files import CorpusFile, empty_corpus, survey
from bertsmith.data.corpus_lines import paragraphs_of
from bertsmith.files import sha256_of
from bertsmith.progress import Listener, ignore, note
from bertsmith.seeds import uniform
from bertsmith.text.sentences import split_sentences
from bertsmith.text.settings import CorpusSettings

TRAIN, HELD_OUT = "train", "held-out"
LONGEST = 1_000_000  # characters of a document; Google's pairs never need more, and memory stays bounded
PART = 2**20  # characters of a part of a raw document, about
_BLOCK = 4096  # documents whose draws are made at once


@dataclass(frozen=True)
class Document:
    """The sentences of a document, the file that it comes from, and whether it is held out."""

    sentences: tuple[str, ...]
    source: str
    split: str = TRAIN


@dataclass(frozen=True)
class RawDocument:
    """A document, or a part of a long one, as it was read.

    Args:
        paragraphs: its paragraphs, or its sentences.
        of_sentences: whether each of them is a sentence.
        goes_on: whether the next one is more of the same document.
    """

    paragraphs: tuple[str, ...]
    of_sentences: bool
    goes_on: bool


class Position(NamedTuple):
    """How far a corpus has been read: whole files, and raw documents of the next one."""

    file: int = 0
    raw: int = 0


BEGINNING = Position()


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
        facts = [f"{file.name} {file.sha256} {file.encoding} {file.content.value} {file.shape}" for file in self.files]
        return sha256_of("\n".join([self.text_field, *facts]).encode())

    def raw_documents(self, start: Position = BEGINNING) -> Iterator[tuple[RawDocument, Position]]:
        """The raw documents from a position on, in order, each with the position behind it; files before it are not opened."""
        for number, file in enumerate(self.files[start.file :], start.file):
            raw, passed = 0, start.raw if number == start.file else 0
            for paragraphs in paragraphs_of(file, self.text_field):
                for part, goes_on in _parts(paragraphs):
                    raw += 1
                    if raw > passed:
                        yield RawDocument(part, file.shape.lines == "sentence", goes_on), Position(number, raw)

    def documents(self, listen: Listener = ignore) -> Iterator[Document]:
        """The documents in order; one over a million characters is cut at a sentence and goes on as the next.

        Raises:
            DataError: there is no sentence in any file.
        """
        read = cut = 0
        for file in self.files:
            for paragraphs in paragraphs_of(file, self.text_field):
                parts = 0
                for sentences in _bounded(_sentences(paragraphs, file.shape.lines)):
                    parts += 1
                    yield Document(tuple(sentences), file.name)
                read, cut = read + parts, cut + max(parts - 1, 0)
        tell_cuts(cut, listen)
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


def tell_cuts(cut: int, listen: Listener) -> None:
    """Say how often documents were cut for their length."""
    if cut:
        listen(
            note(
                "documents-cut",
                "documents over {longest} characters were cut at a sentence {cut} times; each part counts as a document",
                longest=LONGEST,
                cut=cut,
            )
        )


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


def _parts(paragraphs: Iterator[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """A document in parts of bounded size, each with whether it goes on; nothing for an empty one."""
    kept: list[str] = []
    size = 0
    for paragraph in paragraphs:
        if size >= PART:
            yield tuple(kept), True
            kept, size = [], 0
        kept.append(paragraph)
        size += len(paragraph)
    if kept:
        yield tuple(kept), False


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
