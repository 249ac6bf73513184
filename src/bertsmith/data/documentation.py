"""English that lies on every machine that has bertsmith: the language reference and the docstrings of what it stands on.

The text is that of `pydoc_data.topics`, the standard library, and everything that bertsmith requires, directly or not. Files
are parsed, never imported. What is found depends on the installed versions alone, not on other packages or on `workers`.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from multiprocessing import get_context
from typing import Literal

from bertsmith import seeds
from bertsmith.data.documentation_docstrings import Docstring, read_files
from bertsmith.data.documentation_repeats import CopyFinder, first_occurrences
from bertsmith.data.documentation_sources import SourceFile, find_sources
from bertsmith.errors import DataError
from bertsmith.progress import Advance, Listener, Stage, ignore, note

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

_HELD_OUT = 0.12  # of the modules, half of them dev and half test
_FEWEST_SENTENCES = 2  # of a document: next-sentence prediction needs two
_FILES_AT_ONCE = 32  # what a process reads before it reports


@dataclass(frozen=True)
class Passage:
    """One docstring as prose. `kind` is `topic`, `module`, `class`, `method` or `function`."""

    name: str
    kind: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class DocumentedText:
    """A document: a class with its methods, a function, a topic, or what a module says in single sentences.

    `kind` is `topic`, `module`, `class` or `function`; `split` is that of the module.
    """

    library: str
    module: str
    name: str
    kind: str
    split: Split
    passages: tuple[Passage, ...]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """All sentences in the order of the file."""
        return tuple(sentence for passage in self.passages for sentence in passage.sentences)


@dataclass(frozen=True, kw_only=True)
class DocumentationCounts:
    """What was found and what was left out."""

    libraries: int
    modules: int
    documents: int
    sentences: int
    words: int
    repeated: int  # sentences that stood before
    copied: int  # sentences of dev and test that are nearly one of another split
    skipped: int  # files that could not be read or parsed


@dataclass(frozen=True)
class Documentation:
    """Documents in the order of library, module and place in the file."""

    documents: tuple[DocumentedText, ...]
    counts: DocumentationCounts

    def of(self, split: Split) -> list[DocumentedText]:
        """The documents of one split."""
        return [document for document in self.documents if document.split == split]


@dataclass(frozen=True)
class _Found:
    """A docstring with where it was found, before documents are put together."""

    source: SourceFile
    split: Split
    group: str
    passage: Passage


def module_split(module: str, seed: int) -> Split:
    """The split of a module, a pure function of its name and the seed: 88 % train, 6 % dev, 6 % test."""
    number = int.from_bytes(hashlib.sha256(module.encode()).digest()[:7], "little")
    draw = float(seeds.uniform(seed, "module-split", number))
    if draw >= _HELD_OUT:
        return "train"
    return "dev" if draw < _HELD_OUT / 2 else "test"


def read_documentation(*, workers: int, seed: int = 0, listen: Listener = ignore) -> Documentation:
    """Read the documentation on this machine.

    Args:
        workers: processes that parse files; 1 parses in this one. Their number changes nothing in the result.
        seed: decides which modules are train, dev and test.

    Raises:
        DataError: there is none (the libraries are installed without their sources).
    """
    return read_sources(find_sources(), workers=workers, seed=seed, listen=listen)


def read_sources(sources: Sequence[SourceFile], *, workers: int, seed: int = 0, listen: Listener = ignore) -> Documentation:
    """Read the documentation in some Python files; see `read_documentation`."""
    listen(Stage("documentation", len(sources), "files"))
    found: list[_Found] = []
    skipped = 0
    for number, (source, docstrings) in enumerate(zip(sources, _parsed(sources, workers), strict=True), 1):
        skipped += docstrings is None
        split = module_split(source.module, seed)
        for docstring in docstrings or ():
            own = module_split(f"{source.module}.{docstring.name}", seed) if docstring.kind == "topic" else split
            found.append(_Found(source, own, docstring.group, Passage(docstring.name, docstring.kind, docstring.sentences)))
        if number % _FILES_AT_ONCE == 0:
            listen(Advance(number))
    unique, repeated, copied = _without_repeats(found)
    documents = tuple(
        document for _, of_file in groupby(unique, key=lambda item: item.source) for document in _documents(list(of_file))
    )
    if not documents:
        raise DataError(
            "documentation-none",
            "no documentation was found in {files} Python files",
            do="give a corpus of your own with --corpus; the libraries here seem to be installed without their sources",
            files=len(sources),
        )
    documentation = Documentation(documents, _counts(documents, repeated, copied, skipped))
    _tell(documentation.counts, listen)
    return documentation


def _parsed(sources: Sequence[SourceFile], workers: int) -> Iterator[list[Docstring] | None]:
    """What each file holds, in the order of the files."""
    pieces = [sources[start : start + _FILES_AT_ONCE] for start in range(0, len(sources), _FILES_AT_ONCE)]
    done = 0
    if workers > 1 and len(pieces) > 1:
        # Processes are spawned: a fork would copy the threads of numpy and torch half-way.
        with ProcessPoolExecutor(min(workers, len(pieces)), get_context("spawn"), initializer=gc.disable) as pool:
            try:
                for piece in pool.map(read_files, pieces):
                    yield from piece
                    done += 1
            except BrokenProcessPool:
                # Spawned processes run the caller's script again up to here; without `if __name__ == "__main__"` in it they cannot start.
                pass
    for piece_ in pieces[done:]:
        yield from read_files(piece_)


def _without_repeats(found: list[_Found]) -> tuple[list[_Found], int, int]:
    """What is left when each sentence stands once, in train rather than dev rather than test; how many repeats and copies were dropped."""
    seen: set[str] = set()
    finder = CopyFinder()
    kept: dict[int, _Found] = {}
    repeated = copied = 0
    for split in SPLITS:
        numbers = [number for number, item in enumerate(found) if item.split == split]
        sentences = [sentence for number in numbers for sentence in found[number].passage.sentences]
        new = first_occurrences(sentences, seen)
        copy = finder.copies(sentences)
        finder.show(sentences)
        repeated += new.count(False)
        copied += sum(1 for is_new, is_copy in zip(new, copy, strict=True) if is_new and is_copy)
        keep = iter([is_new and not is_copy for is_new, is_copy in zip(new, copy, strict=True)])
        for number in numbers:
            passage = found[number].passage
            sentences_ = tuple(sentence for sentence in passage.sentences if next(keep))
            if sentences_:
                kept[number] = replace(found[number], passage=replace(passage, sentences=sentences_))
    return [kept[number] for number in sorted(kept)], repeated, copied


def _documents(of_file: list[_Found]) -> Iterator[DocumentedText]:
    """The documents of one file: classes and functions of at least two sentences; shorter ones join what the module says."""
    groups: dict[tuple[Split, str], list[Passage]] = {}
    for item in of_file:
        groups.setdefault((item.split, item.group), []).append(item.passage)
    source = of_file[0].source
    loose: dict[Split, list[Passage]] = {}
    for (split, group), passages in groups.items():
        if not group or sum(len(passage.sentences) for passage in passages) < _FEWEST_SENTENCES:
            loose.setdefault(split, []).extend(passages)
        else:
            kind = {"method": "class"}.get(passages[0].kind, passages[0].kind)
            yield DocumentedText(source.library, source.module, group, kind, split, tuple(passages))
    for split, passages in loose.items():
        if sum(len(passage.sentences) for passage in passages) >= _FEWEST_SENTENCES:
            yield DocumentedText(source.library, source.module, source.module, "module", split, tuple(passages))


def _counts(documents: Iterable[DocumentedText], repeated: int, copied: int, skipped: int) -> DocumentationCounts:
    documents = list(documents)
    return DocumentationCounts(
        libraries=len({document.library for document in documents}),
        modules=len({(document.library, document.module) for document in documents}),
        documents=len(documents),
        sentences=sum(len(document.sentences) for document in documents),
        words=sum(sentence.count(" ") + 1 for document in documents for sentence in document.sentences),
        repeated=repeated,
        copied=copied,
        skipped=skipped,
    )


def _tell(counts: DocumentationCounts, listen: Listener) -> None:
    listen(
        note(
            "documentation-read",
            "read the documentation of {libraries} libraries ({modules} modules): {documents} documents, {sentences} sentences, {words} words; "
            "{repeated} repeated sentences and {copied} near-copies in held-out text dropped, {skipped} unreadable files skipped",
            libraries=counts.libraries,
            modules=counts.modules,
            documents=counts.documents,
            sentences=counts.sentences,
            words=counts.words,
            repeated=counts.repeated,
            copied=counts.copied,
            skipped=counts.skipped,
        )
    )
