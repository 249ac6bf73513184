"""The token store: a corpus as numbers that any later job maps into memory. Nothing later reads the text again.

    store/
      manifest.json                                        version, counts, hashes, where it comes from
      vocab.txt  tokenizer.json  tokenizer_config.json     the vocabulary
      train-00000/  train-00001/ …  held-out-00000/ …      shards, see `shards`

It is written beside its place and renamed as a whole. An interrupted write keeps its finished shards, and the same call goes on behind
them; the bytes are the same however often it was interrupted.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.corpus import HELD_OUT, TRAIN, Document
from bertsmith.data.shards import Shard, ShardWriter, expected_sizes, finished_shard, token_type
from bertsmith.errors import DataError
from bertsmith.files import ASIDE, disk_errors, json_text, replace_folder, sha256_of, sole_writer, write_json
from bertsmith.progress import Advance, Listener, Stage, ignore, note, warning
from bertsmith.text.vocabulary import Vocabulary, read_vocabulary
from bertsmith.text.wordpiece import WordPiece

FORMAT, VERSION = "bertsmith token store", 1
MANIFEST, PLAN = "manifest.json", "plan.json"
SPLITS = (TRAIN, HELD_OUT)
LEAST_DOCUMENTS = 2  # of a shard: a negative sentence comes from another document of the same shard
_MANY_UNKNOWN = 0.01  # above this share of unknown words the vocabulary hardly fits the text; assumed
_TOLD_EVERY = 2**18  # tokens
Sentences = list[NDArray[np.int32]]


@dataclass(frozen=True)
class TokenStore:
    """An opened token store."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "TokenStore":
        """Open a store and check that every file of it has the size that the manifest says.

        Raises:
            DataError: no token store, one of another version, files that are missing or cut off (all at once).
        """
        manifest = _read_manifest(folder)
        if manifest["version"] != VERSION:
            raise DataError(
                "store-version",
                "this token store has version {found}, this program reads version {wanted}",
                where=folder,
                do="run `bertsmith prepare` again",
                found=manifest["version"],
                wanted=VERSION,
            )
        store = cls(folder, manifest)
        width = token_type(manifest["vocabulary"]["size"]).itemsize
        faults = []
        for split in SPLITS:
            for about in manifest["shards"][split]:
                for name, size in expected_sizes(about, width).items():
                    path = folder / about["name"] / name
                    found = path.stat().st_size if path.is_file() else 0
                    if found != size:
                        faults.append(_wrong_size(path, found, size))
        if faults:
            raise DataError.all_of(faults)
        return store

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary that the text was encoded with."""
        return read_vocabulary(self.folder)

    def shards(self, split: str) -> list[Shard]:
        """The shards of `train` or `held-out`, in order."""
        shards, first = [], 0
        for about in self.manifest["shards"][split]:
            shards.append(Shard(self.folder / about["name"], about, first, token_type(self.manifest["vocabulary"]["size"])))
            first += about["documents"]
        return shards


def write_store(
    documents: Iterable[Document],
    vocabulary: Vocabulary,
    folder: Path,
    *,
    shard_tokens: int,
    origin: Mapping[str, Any],
    listen: Listener = ignore,
) -> TokenStore:
    """Encode documents and write the store, or go on where an interrupted call with the same origin stopped.

    Args:
        documents: the documents in their order; a pure function of `origin`, or finished shards would not fit. Sentences without a
            token and documents without a sentence are left out.
        vocabulary: the vocabulary.
        folder: the place of the store; an older store there is replaced at the end.
        shard_tokens: a shard ends with the document that brings it to so many tokens (the last one may take one more document, so that
            every shard has two).
        origin: settings and input hashes, as JSON holds them; goes into the manifest.
        listen: told documents and tokens as they come.

    Raises:
        DataError: the place holds something else than a token store, or there is no sentence at all.
        MachineError: the disk is full; finished shards are kept for the next call.
    """
    _refuse_to_replace(folder)
    folder = Path(os.path.realpath(folder))
    parts = folder.parent / f"{ASIDE}store-{folder.name}"
    with disk_errors(folder), sole_writer(folder):
        _make_ready(parts, vocabulary, {"shard_tokens": shard_tokens, "origin": origin})
        splits = {name: _SplitWriter(parts, name, vocabulary, shard_tokens) for name in SPLITS}
        try:
            _encode(documents, WordPiece(vocabulary), splits, listen)
            for split in splits.values():
                split.finish()
        finally:
            for split in splits.values():
                split.abandon()
        manifest = _manifest(vocabulary, splits, origin)
        if not sum(counts["documents"] for counts in manifest["counts"].values()):
            shutil.rmtree(parts)
            raise DataError(
                "no-sentences",
                "the documents hold no sentence",
                do="give text with words in it, or another vocabulary for its script",
            )
        write_json(parts / MANIFEST, manifest)
        replace_folder(parts, folder)
        (folder / PLAN).unlink()
    _tell_unknown(manifest, listen)
    return TokenStore.open(folder)


class _SplitWriter:
    """Divides the documents of a split among shards."""

    def __init__(self, parts: Path, name: str, vocabulary: Vocabulary, shard_tokens: int) -> None:
        self._parts, self._name, self._vocabulary, self._shard_tokens = parts, name, vocabulary, shard_tokens
        self.finished: list[dict[str, Any]] = []
        width = token_type(vocabulary.size).itemsize
        while about := finished_shard(parts / self._next_name, width):
            self.finished.append({"name": self._next_name, **about})
        self.skip = self.finished[-1]["read"] if self.finished else 0
        self._open: ShardWriter | None = None
        self._waiting: list[tuple[int, Sentences]] = []
        self._last_added = self.skip

    @property
    def _next_name(self) -> str:
        return f"{self._name}-{len(self.finished):05d}"

    def add(self, number: int, sentences: Sentences) -> None:
        """Take document `number` (from 1) of the split. Behind a full shard documents wait until two can begin the next one."""
        if self._open is not None and self._open.tokens >= self._shard_tokens and self._open.documents >= LEAST_DOCUMENTS:
            self._waiting.append((number, sentences))
            if len(self._waiting) == LEAST_DOCUMENTS:
                self._close()
                self._add_waiting()
            return
        self._append(number, sentences)

    def finish(self) -> None:
        """Close the last shard."""
        self._add_waiting()
        if self._open is not None:
            self._close()

    def abandon(self) -> None:
        """Close the files of an unfinished shard; finished ones stay for the next call."""
        if self._open is not None:
            self._open.abandon()

    def _add_waiting(self) -> None:
        for number, sentences in self._waiting:
            self._append(number, sentences)
        self._waiting = []

    def _append(self, number: int, sentences: Sentences) -> None:
        if self._open is None:
            self._open = ShardWriter(self._parts / self._next_name, self._vocabulary)
        self._open.add(sentences)
        self._last_added = number

    def _close(self) -> None:
        assert self._open is not None
        name = self._next_name
        self.finished.append({"name": name, **self._open.finish(self._last_added)})
        self._open = None


def _encode(documents: Iterable[Document], encoder: WordPiece, splits: Mapping[str, _SplitWriter], listen: Listener) -> None:
    listen(Stage("encode", unit="documents"))
    kept = sum(split.skip for split in splits.values())
    if kept:
        listen(
            note(
                "store-goes-on",
                "an interrupted write goes on: its first {documents} documents are encoded already",
                documents=kept,
            )
        )
    numbers = dict.fromkeys(splits, 0)
    read = tokens = sentences = told = 0
    for document in documents:
        numbers[document.split] += 1
        read += 1
        if numbers[document.split] <= splits[document.split].skip:
            continue
        ids = [sentence for sentence in encoder.encode(document.sentences) if len(sentence)]
        if ids:
            splits[document.split].add(numbers[document.split], ids)
        tokens, sentences = tokens + sum(map(len, ids)), sentences + len(ids)
        if tokens - told >= _TOLD_EVERY:
            told = tokens
            listen(Advance(read, {"tokens": tokens, "sentences": sentences}))
    listen(Advance(read, {"tokens": tokens, "sentences": sentences}))


def _make_ready(parts: Path, vocabulary: Vocabulary, plan: Mapping[str, Any]) -> None:
    """A folder to write into: that of an interrupted call with the same plan, or a new one."""
    wanted = json_text({"version": VERSION, "vocabulary": vocabulary.sha256, **plan})
    if not ((parts / PLAN).is_file() and (parts / PLAN).read_text("utf-8") == wanted):
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        vocabulary.write(parts)
        write_json(parts / PLAN, json.loads(wanted))


def _manifest(vocabulary: Vocabulary, splits: Mapping[str, _SplitWriter], origin: Mapping[str, Any]) -> dict[str, Any]:
    shards = {
        name: [{key: value for key, value in about.items() if key != "read"} for about in split.finished]
        for name, split in splits.items()
    }
    counted = ("documents", "sentences", "tokens", "unknown")
    counts = {name: {key: sum(about[key] for about in abouts) for key in counted} for name, abouts in shards.items()}
    facts = {"vocabulary": vocabulary.sha256, "shards": shards}
    return {
        "format": FORMAT,
        "version": VERSION,
        "sha256": sha256_of(json_text(facts).encode()),
        "counts": counts,
        "vocabulary": {"size": vocabulary.size, "lowercase": vocabulary.lowercase, "sha256": vocabulary.sha256},
        "origin": dict(origin),
        "shards": shards,
    }


def _tell_unknown(manifest: Mapping[str, Any], listen: Listener) -> None:
    counts = manifest["counts"].values()
    share = sum(count["unknown"] for count in counts) / sum(count["tokens"] for count in counts)
    if share > _MANY_UNKNOWN:
        listen(
            warning(
                "many-unknown",
                "{share:.1%} of the tokens are words or characters that the vocabulary cannot write; learn one from this text instead",
                share=share,
            )
        )


def _refuse_to_replace(folder: Path) -> None:
    """Raise unless the place is free, empty, or holds a token store."""
    holds_other = folder.exists() and not (folder.is_dir() and (is_store(folder) or not any(folder.iterdir())))
    if holds_other:
        raise DataError(
            "place-taken",
            "something else than a token store stands here, and it would be replaced",
            where=folder,
            do="choose another folder with --output, or move it away",
        )


def is_store(folder: Path) -> bool:
    """Whether a folder is a token store of any version."""
    try:
        return bool(json.loads((folder / MANIFEST).read_text("utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _read_manifest(folder: Path) -> Mapping[str, Any]:
    if not is_store(folder):
        raise DataError(
            "not-a-store",
            "there is no token store here",
            where=folder,
            do="make one with `bertsmith prepare`; if that was interrupted, run the same command again and it goes on",
        )
    manifest: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    if missing := sorted({"version", "sha256", "counts", "vocabulary", "shards"} - manifest.keys()):
        raise DataError(
            "store-manifest",
            "the manifest of the token store lacks {missing}",
            where=folder / MANIFEST,
            do="copy the store again from where it came, or run `bertsmith prepare` again",
            missing=", ".join(missing),
        )
    return manifest


def _wrong_size(path: Path, found: int, size: int) -> DataError:
    return DataError(
        "store-truncated",
        "the file has {found} bytes instead of {size}",
        where=path,
        do="copy the store again from where it came, or run `bertsmith prepare` again",
        found=found,
        size=size,
    )
