"""Writing a token store in bounded memory: shards, and a state from which a stopped call goes on.

Everything is written beside the store's place and renamed as a whole. When a shard has become full, the state is saved behind the batch: how far
the text was read, what it takes to go on, and how long each file of an unfinished shard was. After a kill the files are cut
back to that, so the bytes are the same however often the work was interrupted.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.encoded_text import I64, EncodedText, no_text, summed
from bertsmith.data.shards import ShardWriter, token_type
from bertsmith.data.store_manifest import MANIFEST, SPLITS, VERSION, is_store, manifest
from bertsmith.errors import DataError
from bertsmith.files import ASIDE, disk_errors, json_text, replace_folder, sole_writer, write_aside, write_json
from bertsmith.progress import Listener, note, warning
from bertsmith.text.vocabulary import Vocabulary

PLAN, STATE = "plan.json", "state.npz"
LEAST_DOCUMENTS = 2  # of a shard: a negative sentence comes from another document of the same shard
_MANY_UNKNOWN = 0.01  # above this share of unknown words the vocabulary hardly fits the text; assumed
Arrays = Mapping[str, NDArray[Any]]


@contextmanager
def writing(folder: Path, vocabulary: Vocabulary, plan: Mapping[str, Any], listen: Listener) -> Iterator["StoreWriter"]:
    """Hold the place of a store while it is written; what was finished takes the place at the end.

    Args:
        folder: the place.
        vocabulary: the vocabulary.
        plan: what the store is a function of: `shard_tokens`, and whatever else decides; a call with the same plan goes on.
        listen: told where it goes on, and of unknown words.

    Raises:
        DataError: the place holds something else than a token store, or nothing was added.
        MachineError: the disk is full, or another process is writing; what was saved is kept for the next call.
    """
    _refuse_to_replace(folder)
    folder = folder.resolve()
    parts = folder.parent / f"{ASIDE}store-{folder.name}"
    with disk_errors(folder), sole_writer(folder):
        _make_ready(parts, vocabulary, plan)
        writer = StoreWriter(parts, vocabulary, plan["shard_tokens"])
        if writer.saved and not writer.complete:
            listen(
                note(
                    "store-goes-on",
                    "an interrupted write goes on: its first {documents} documents are encoded already",
                    documents=writer.saved["documents"],
                )
            )
        try:
            yield writer
        finally:
            writer.abandon()
        told = json.loads((parts / MANIFEST).read_text("utf-8"))
        (parts / STATE).unlink(missing_ok=True)
        replace_folder(parts, folder)
        (folder / PLAN).unlink()
    _tell_unknown(told, listen)


class StoreWriter:
    """Takes documents and writes shards.

    Args:
        parts: the folder to write into.
        vocabulary: the vocabulary.
        shard_tokens: a shard ends with the document that brings it to so many tokens (the last one may take one more document, so that
            every shard has two).
    """

    def __init__(self, parts: Path, vocabulary: Vocabulary, shard_tokens: int) -> None:
        self.parts, self._vocabulary = parts, vocabulary
        self.complete = (parts / MANIFEST).is_file()
        self.saved: Mapping[str, Any] = {}
        self.saved_arrays: Arrays = {}
        self._splits = {name: _SplitWriter(parts, name, vocabulary, shard_tokens) for name in SPLITS}
        self._unsaved_tokens, self._shards_saved = 0, 0
        if (parts / STATE).is_file() and not self.complete:
            self._restore()

    def add(self, split: str, text: EncodedText, sentences_D: I64) -> None:
        """Append documents to a split; sentences without a token and documents without a sentence are left out.

        Args:
            split: `train` or `held-out`.
            text: their sentences.
            sentences_D: how many of them each document has.
        """
        filled_S = text.tokens_S > 0
        left_D = summed(filled_S.astype(np.int64), sentences_D)
        self._unsaved_tokens += len(text.ids_T)
        if left_D.any():
            self._splits[split].add(text.where(filled_S), left_D[left_D > 0])

    @property
    def is_due(self) -> bool:
        """Whether a shard has become full since the state was saved."""
        return self._shards > self._shards_saved

    @property
    def _shards(self) -> int:
        return sum(len(split.finished) for split in self._splits.values())

    def save(self, told: Mapping[str, Any], arrays: Arrays) -> None:
        """Save the state; not yet where that would write more than a few bytes for each token since the last time.

        Args:
            told: what the caller needs to go on, as JSON; `documents` counts those that were read.
            arrays: the same as arrays.
        """
        if self._unsaved_tokens < sum(array.size for array in arrays.values()):
            return
        splits = {name: split.state() for name, split in self._splits.items()}
        waiting = [split.waiting.arrays(f"waiting.{name}") for name, split in self._splits.items()]
        state = np.frombuffer(json_text({"told": told, "splits": splits}).encode(), np.uint8)
        with write_aside(self.parts / STATE, "wb") as file:
            cast(Any, np.savez)(file, state=state, **arrays, **waiting[0], **waiting[1])
        self._unsaved_tokens, self._shards_saved = 0, self._shards

    def finish(self, about: Mapping[str, Any]) -> None:
        """Close the last shards and write the manifest.

        Args:
            about: what the manifest tells beside counts and hashes.

        Raises:
            DataError: no document was added.
        """
        for split in self._splits.values():
            split.finish()
        shards = {name: split.finished for name, split in self._splits.items()}
        if not any(shards.values()):
            shutil.rmtree(self.parts)
            raise DataError(
                "no-sentences",
                "the documents hold no sentence",
                do="give text with words in it, or another vocabulary for its script",
            )
        write_json(self.parts / MANIFEST, manifest(self._vocabulary, self.parts, shards, about))

    def abandon(self) -> None:
        """Close the files of unfinished shards."""
        for split in self._splits.values():
            split.abandon()

    def _restore(self) -> None:
        with np.load(self.parts / STATE) as arrays:
            self.saved_arrays = {name: arrays[name] for name in arrays.files}
        state = json.loads(self.saved_arrays["state"].tobytes())
        self.saved = state["told"]
        for name, split in self._splits.items():
            split.restore(state["splits"][name], EncodedText.from_arrays(self.saved_arrays, f"waiting.{name}"))
        self._shards_saved = self._shards


class _SplitWriter:
    """Divides the documents of a split among shards."""

    def __init__(self, parts: Path, name: str, vocabulary: Vocabulary, shard_tokens: int) -> None:
        self._parts, self._name, self._vocabulary, self._shard_tokens = parts, name, vocabulary, shard_tokens
        self.finished: list[dict[str, Any]] = []
        self.waiting = no_text(
            token_type(vocabulary.size)
        )  # a document behind a full shard, until another one can begin the next with it
        self._open: ShardWriter | None = None

    @property
    def _next(self) -> Path:
        return self._parts / f"{self._name}-{len(self.finished):05d}"

    def add(self, text: EncodedText, sentences_D: I64) -> None:
        """Take documents; one behind a full shard waits until two can begin the next."""
        if len(self.waiting):
            sentences_D = np.append(len(self.waiting), sentences_D)
            text, self.waiting = EncodedText.joined([self.waiting, text]), text.between(0, 0)
        while len(sentences_D):
            if self._full and len(sentences_D) < LEAST_DOCUMENTS:
                self.waiting = text
                return
            if self._full:
                self._close()
            if self._open is None:
                self._open = ShardWriter(self._next, self._vocabulary)
            taken = self._fitting(summed(text.tokens_S, sentences_D), self._open)
            sentences = int(sentences_D[:taken].sum())
            self._open.add(text.between(0, sentences), sentences_D[:taken])
            text, sentences_D = text.between(sentences, len(text)), sentences_D[taken:]

    def finish(self) -> None:
        """Close the last shard."""
        if self._open is not None:
            if len(self.waiting):
                self._open.add(self.waiting, np.array([len(self.waiting)]))
            self._close()

    def abandon(self) -> None:
        """Close the files of an unfinished shard."""
        if self._open is not None:
            self._open.abandon()

    def state(self) -> dict[str, Any]:
        """What another writer needs to go on, but for the document that waits."""
        return {"finished": self.finished, "open": None if self._open is None else self._open.state()}

    def restore(self, state: Mapping[str, Any], waiting: EncodedText) -> None:
        """Go on from what `state` gave."""
        self.finished, self.waiting = state["finished"], waiting
        if state["open"] is not None:
            self._open = ShardWriter(self._next, self._vocabulary, state["open"])
        for later in self._parts.glob(f"{self._name}-*"):
            if int(later.name.rsplit("-", 1)[1]) >= len(self.finished):
                shutil.rmtree(later)

    @property
    def _full(self) -> bool:
        shard = self._open
        return shard is not None and shard.tokens >= self._shard_tokens and shard.documents >= LEAST_DOCUMENTS

    def _fitting(self, tokens_D: I64, shard: ShardWriter) -> int:
        """How many documents a shard takes until it is full."""
        until_full = int(np.searchsorted(np.cumsum(tokens_D), self._shard_tokens - shard.tokens)) + 1
        return min(max(until_full, LEAST_DOCUMENTS - shard.documents), len(tokens_D))

    def _close(self) -> None:
        assert self._open is not None
        name = self._next.name
        self.finished.append({"name": name, **self._open.finish()})
        self._open = None


def _make_ready(parts: Path, vocabulary: Vocabulary, plan: Mapping[str, Any]) -> None:
    """A folder to write into: that of an interrupted call with the same plan, or a new one."""
    wanted = json_text({"version": VERSION, "vocabulary": vocabulary.sha256, **plan})
    if not ((parts / PLAN).is_file() and (parts / PLAN).read_text("utf-8") == wanted):
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        vocabulary.write(parts)
        write_json(parts / PLAN, json.loads(wanted))


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
