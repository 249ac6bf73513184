"""One shard of a token store: four files of plain numbers, little-endian, that are appended to and then mapped into memory.

tokens.bin       uint16, or uint32 for vocabularies over 65,536 pieces: (T,) the documents end to end
sentences.bin    int64: (S+1,) where each sentence begins in tokens, and the end
documents.bin    int64: (D+1,) where each document begins in sentences, and the end
word_starts.bin  uint8: (⌈T/8⌉,) a bit per token, the first in the highest bit (np.packbits): whether it begins a word
shard.json       counts, and hashes of the four files
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.encoded_text import EncodedText
from bertsmith.files import ASIDE, sync, write_json
from bertsmith.text.vocabulary import Vocabulary

I64 = NDArray[np.int64]
TOKENS, SENTENCES, DOCUMENTS, WORD_STARTS = FILES = ("tokens.bin", "sentences.bin", "documents.bin", "word_starts.bin")
ABOUT = "shard.json"
COUNTED = ("tokens", "sentences", "documents", "unknown")
NARROW_PIECES = 2**16  # vocabularies up to this size fit into uint16


def token_type(vocabulary_size: int) -> np.dtype[Any]:
    """The number type of tokens: two bytes where the vocabulary allows."""
    return np.dtype("<u2" if vocabulary_size <= NARROW_PIECES else "<u4")


def expected_sizes(about: Mapping[str, int], token_bytes: int) -> dict[str, int]:
    """The size in bytes of each file of a shard, from its counts."""
    return {
        TOKENS: about["tokens"] * token_bytes,
        SENTENCES: (about["sentences"] + 1) * 8,
        DOCUMENTS: (about["documents"] + 1) * 8,
        WORD_STARTS: -(-about["tokens"] // 8),
    }


@dataclass(frozen=True)
class Shard:
    """A finished shard, mapped into memory when first looked at.

    Args:
        folder: its folder.
        about: counts and hashes, as in shard.json.
        first_document: number of its first document within the split.
        token_type: number type of the tokens.
    """

    folder: Path
    about: Mapping[str, Any]
    first_document: int
    token_type: "np.dtype[Any]"

    @cached_property
    def tokens(self) -> NDArray[np.unsignedinteger[Any]]:
        """(T,) the ids of the pieces, documents end to end."""
        return self._mapped(TOKENS, self.token_type)

    @cached_property
    def sentences(self) -> I64:
        """(S+1,) where each sentence begins in `tokens`, and the end; strictly rising."""
        return self._mapped(SENTENCES, np.dtype("<i8"))

    @cached_property
    def documents(self) -> I64:
        """(D+1,) where each document begins in `sentences`, and the end; strictly rising."""
        return self._mapped(DOCUMENTS, np.dtype("<i8"))

    @cached_property
    def word_starts(self) -> NDArray[np.uint8]:
        """(⌈T/8⌉,) a bit for every token, in the order of np.packbits: whether it begins a word."""
        return self._mapped(WORD_STARTS, np.dtype("u1"))

    def _mapped(self, name: str, dtype: "np.dtype[Any]") -> NDArray[Any]:
        # A plain view: single elements of np.memmap are slow to reach.
        return np.memmap(self.folder / name, dtype, mode="r").view(np.ndarray)


class ShardWriter:
    """Appends documents to a shard's files; memory does not grow with the shard. `finish` makes the shard appear as a whole.

    Args:
        folder: the place of the finished shard.
        vocabulary: the vocabulary.
        saved: what `state` gave in a process that was stopped; what it wrote afterwards is cut off.
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary, saved: Mapping[str, Any] | None = None) -> None:
        self.folder, self._aside = folder, folder.parent / f"{ASIDE}{folder.name}"
        self._type, self._unknown_id = token_type(vocabulary.size), vocabulary.unknown
        self._bits = np.zeros(0, bool)  # of fewer than eight tokens, until their byte is full
        self.tokens = self.sentences = self.documents = self.unknown = 0
        self._files: dict[str, IO[bytes]]
        if saved is not None:
            self._go_on(saved)
            return
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)
        self._files = {name: (self._aside / name).open("wb") for name in FILES}
        self._hashes = {name: hashlib.sha256() for name in FILES}
        self._write(SENTENCES, np.zeros(1, "<i8"))
        self._write(DOCUMENTS, np.zeros(1, "<i8"))

    def _go_on(self, saved: Mapping[str, Any]) -> None:
        if self.folder.exists():  # it was finished behind the state, and will be again
            shutil.rmtree(self._aside, ignore_errors=True)
            os.replace(self.folder, self._aside)
        self._bits = np.array(saved["bits"], bool)
        self.tokens, self.sentences, self.documents, self.unknown = (saved[what] for what in COUNTED)
        self._hashes = {}
        self._files = {name: (self._aside / name).open("r+b") for name in FILES}
        for name in FILES:
            self._files[name].truncate(saved["sizes"][name])
            self._hashes[name] = hashlib.sha256()
            while chunk := self._files[name].read(2**20):
                self._hashes[name].update(chunk)

    def add(self, text: EncodedText, sentences_D: I64) -> None:
        """Append documents: their sentences, none without a token, and how many sentences each has, at least one."""
        self._write(TOKENS, text.ids_T.astype(self._type))
        self._write(SENTENCES, self.tokens + np.cumsum(text.tokens_S, dtype="<i8"))
        self._write(DOCUMENTS, self.sentences + np.cumsum(sentences_D, dtype="<i8"))
        bits = np.concatenate([self._bits, text.starts_T])
        whole = len(bits) // 8 * 8
        self._write(WORD_STARTS, np.packbits(bits[:whole]))
        self._bits = bits[whole:]
        self.tokens += len(text.ids_T)
        self.sentences += len(text)
        self.documents += len(sentences_D)
        self.unknown += int((text.ids_T == self._unknown_id).sum())

    def state(self) -> dict[str, Any]:
        """What a new writer needs to go on from here, when everything so far is on the disk."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        counts = {what: getattr(self, what) for what in COUNTED}
        return {**counts, "bits": self._bits.tolist(), "sizes": {name: file.tell() for name, file in self._files.items()}}

    def finish(self) -> dict[str, Any]:
        """Close the shard and put it in its place.

        Returns:
            What shard.json says.
        """
        self._write(WORD_STARTS, np.packbits(self._bits))
        for file in self._files.values():
            file.close()
            sync(Path(file.name))
        about = {
            **{what: getattr(self, what) for what in COUNTED},
            "sha256": {name: digest.hexdigest() for name, digest in self._hashes.items()},
        }
        write_json(self._aside / ABOUT, about)
        os.replace(self._aside, self.folder)
        return about

    def abandon(self) -> None:
        """Close the files of a shard that was not finished."""
        for file in self._files.values():
            file.close()

    def _write(self, name: str, values: NDArray[Any]) -> None:
        data = values.tobytes()
        self._files[name].write(data)
        self._hashes[name].update(data)
