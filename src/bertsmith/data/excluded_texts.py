"""Evaluation texts that no model may be trained on: what of a corpus they share is found by its tokens.

A sentence goes if it takes part in a run of 13 tokens that an evaluation text has too, or if it is a whole evaluation text of fewer
tokens (Brown et al. 2020, "Language models are few-shot learners", appendix C: 13-grams; they go on to drop 200 characters around a match
and documents that lose much, here the sentences alone go). A run of one token repeated, such as dots or unknown words, is no match.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.compressed import inner_name, opened
from bertsmith.data.corpus import open_corpus
from bertsmith.data.corpus_files import JSON_SUFFIXES, is_read
from bertsmith.data.corpus_json import json_value
from bertsmith.data.corpus_lines import paragraphs_of
from bertsmith.data.delimited import read_delimited
from bertsmith.data.encoded_text import summed
from bertsmith.data.encodings import decode
from bertsmith.data.hashes import U64, of_runs, of_sequences
from bertsmith.errors import DataError
from bertsmith.files import sha256, sha256_of, write_aside
from bertsmith.text.settings import CorpusSettings
from bertsmith.text.wordpiece import WordPiece

RUN = 13  # tokens
_FILTER = 2**20  # slots of a table that spares most look-ups
_TABLES = (".csv", ".tsv", ".tab")
_TEXTS_AT_ONCE = 1024


@dataclass(frozen=True)
class ExcludedTexts:
    """What is left of evaluation texts: sorted hashes of their runs, and of the whole of the short ones."""

    runs: U64
    short: U64

    @property
    def is_empty(self) -> bool:
        """Whether nothing is excluded."""
        return not (len(self.runs) or len(self.short))

    @staticmethod
    def none() -> "ExcludedTexts":
        """No text."""
        return ExcludedTexts(np.zeros(0, np.uint64), np.zeros(0, np.uint64))

    @staticmethod
    def of(texts: Iterable[Sequence[str]], encoder: WordPiece) -> "ExcludedTexts":
        """The hashes of some texts, each given as its paragraphs; runs go from one paragraph to the next."""
        runs, short = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        left = iter(texts)
        while some := list(islice(left, _TEXTS_AT_ONCE)):
            pieces = encoder.encode_together(list(chain.from_iterable(some)))
            runs.append(_runs(pieces.ids_T, summed(pieces.counts, np.array([len(text) for text in some])))[0])
            short.append(_short(pieces.ids_T, pieces.counts)[0])
        return ExcludedTexts(np.unique(np.concatenate(runs)), np.unique(np.concatenate(short)))

    @staticmethod
    def read(path: Path) -> "ExcludedTexts":
        """What `write` wrote."""
        with np.load(path) as arrays:
            return ExcludedTexts(arrays["runs"], arrays["short"])

    def write(self, path: Path) -> None:
        """Write the hashes to a file."""
        with write_aside(path, "wb") as file:
            np.savez(file, runs=self.runs, short=self.short)

    def shared(self, ids_T: NDArray[np.int32], tokens_S: NDArray[np.int64], tokens_R: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each sentence shares a run with the texts, or is a short one of them.

        Args:
            ids_T: tokens of all sentences.
            tokens_S: tokens of each sentence.
            tokens_R: tokens of each stretch that runs do not leave.
        """
        shared_S = np.zeros(len(tokens_S), bool)
        if len(self.short):
            hashes, of_short = _short(ids_T, tokens_S)
            shared_S[of_short] = _among(hashes, self.short)
        if len(self.runs) and len(ids_T) >= RUN:
            hashes, begins = _runs(ids_T, tokens_R)
            begins = begins[_among(hashes, self.runs)]
            change_T = np.zeros(len(ids_T) + 1, np.int64)
            np.add.at(change_T, begins, 1)
            np.add.at(change_T, begins + RUN, -1)
            of_token = np.repeat(np.arange(len(tokens_S)), tokens_S)
            shared_S[of_token[np.cumsum(change_T[:-1]) > 0]] = True
        return shared_S


def _runs(ids_T: NDArray[np.int32], tokens_R: NDArray[np.int64]) -> tuple[U64, NDArray[np.int64]]:
    """The hashes of all runs inside a stretch that are not one token repeated, and where they begin."""
    if len(ids_T) < RUN:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    changes = np.append(0, np.cumsum(ids_T[1:] != ids_T[:-1]))
    stretch_T = np.repeat(np.arange(len(tokens_R)), tokens_R)
    inside = stretch_T[RUN - 1 :] == stretch_T[: len(stretch_T) - RUN + 1]
    begins = np.flatnonzero(inside & (changes[RUN - 1 :] != changes[: len(changes) - RUN + 1]))
    return of_runs(ids_T, RUN)[begins], begins


def _short(ids_T: NDArray[np.int32], tokens_S: NDArray[np.int64]) -> tuple[U64, NDArray[np.int64]]:
    """The hashes of the sentences that are shorter than a run and not empty, and their numbers."""
    of_short = np.flatnonzero((tokens_S > 0) & (tokens_S < RUN))
    tokens = np.repeat((tokens_S > 0) & (tokens_S < RUN), tokens_S)
    return of_sequences(ids_T[tokens], tokens_S[of_short]), of_short


def _among(hashes: U64, known: U64) -> NDArray[np.bool_]:
    """Whether each hash is one of the known ones, which are sorted."""
    may_be = np.zeros(_FILTER, bool)
    may_be[(known % np.uint64(_FILTER)).astype(np.int64)] = True
    found = may_be[(hashes % np.uint64(_FILTER)).astype(np.int64)]
    places = np.minimum(np.searchsorted(known, hashes[found]), max(len(known) - 1, 0))
    found[found] = known[places] == hashes[found]
    return found


def evaluation_texts(path: Path, settings: CorpusSettings) -> Iterator[Sequence[str]]:
    """The texts of a file or folder: the cells of tables, every text of json lines, the documents of other files, as paragraphs.

    Args:
        path: the file or folder.
        settings: encoding and column of texts.

    Raises:
        DataError: nothing to read, or files that cannot be read.
    """
    files = _files(path)
    if not files:
        raise DataError(
            "no-excluded-texts",
            "there are no evaluation texts here",
            where=path,
            do="give --exclude a csv, tsv, jsonl, parquet or text file, or a folder of them",
        )
    for file in files:
        suffix = inner_name(file).suffix.lower()
        if suffix in _TABLES:
            with opened(file) as stream:
                rows = read_delimited(decode(stream.read(), file, settings.encoding).text, file).rows
            yield from ([cell] for row in rows for cell in row if cell.strip())
        elif suffix in JSON_SUFFIXES:
            with opened(file) as stream:
                text = decode(stream.read(), file, settings.encoding).text
            for number, line in enumerate(text.split("\n"), 1):
                yield from ([told] for told in _told_in(json_value(line, f"{file}:{number}") if line.strip() else ""))
        else:
            for found in open_corpus(
                CorpusSettings(corpus=file, text_field=settings.text_field, encoding=settings.encoding)
            ).files:
                yield from map(list, paragraphs_of(found, settings.text_field))


def sha256_of_texts(path: Path) -> str:
    """One hash for the contents of a file or of the files of a folder."""
    files = _files(path)
    return sha256_of("\n".join(map(sha256, files)).encode())


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("[!.]*") if file.is_file() and _is_read(file))


def _is_read(file: Path) -> bool:
    return is_read(file) or inner_name(file).suffix.lower() in _TABLES


def _told_in(value: object) -> Iterator[str]:
    """Every text in a json value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _told_in(inner)
