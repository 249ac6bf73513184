"""One shard of a token store: four files of plain numbers, little-endian, that are appended to and then mapped into memory.

tokens.bin       uint16, or uint32 for vocabularies over 65,536 pieces: (T,) the documents end to end
sentences.bin    int64: (S+1,) where each sentence begins in tokens, and the end
documents.bin    int64: (D+1,) where each document begins in sentences, and the end
word_starts.bin  uint8: (⌈T/8⌉,) a bit per token, the first in the highest bit (np.packbits): whether it begins a word
shard.json       counts, hashes of the four files, and how many documents of the split had been read when it was full
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.files import ASIDE, sync, write_json
from bertsmith.text.vocabulary import Vocabulary

I64 = NDArray[np.int64]
TOKENS, SENTENCES, DOCUMENTS, WORD_STARTS = FILES = ("tokens.bin", "sentences.bin", "documents.bin", "word_starts.bin")
ABOUT = "shard.json"
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
    """Appends documents to a shard's files; memory does not grow with the shard. `finish` makes the shard appear as a whole."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        self.folder, self._aside = folder, folder.parent / f"{ASIDE}{folder.name}"
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)
        self._files = {name: (self._aside / name).open("wb") for name in FILES}
        self._hashes = {name: hashlib.sha256() for name in FILES}
        self._type, self._starts_word = token_type(vocabulary.size), vocabulary.starts_word
        self._unknown_id = vocabulary.unknown
        self._bits = np.zeros(0, bool)  # of fewer than eight tokens, until their byte is full
        self.tokens = self.sentences = self.documents = self.unknown = 0
        self._write(SENTENCES, np.zeros(1, "<i8"))
        self._write(DOCUMENTS, np.zeros(1, "<i8"))

    def add(self, sentences: Sequence[NDArray[np.int32]]) -> None:
        """Append a document: the tokens of its sentences, none of them empty."""
        tokens = np.concatenate(sentences)
        self._write(TOKENS, tokens.astype(self._type))
        self._write(SENTENCES, self.tokens + np.cumsum([len(sentence) for sentence in sentences], dtype="<i8"))
        bits = np.concatenate([self._bits, self._starts_word[tokens]])
        whole = len(bits) // 8 * 8
        self._write(WORD_STARTS, np.packbits(bits[:whole]))
        self._bits = bits[whole:]
        self.tokens += len(tokens)
        self.sentences += len(sentences)
        self.documents += 1
        self.unknown += int((tokens == self._unknown_id).sum())
        self._write(DOCUMENTS, np.array([self.sentences], "<i8"))

    def finish(self, read: int) -> dict[str, Any]:
        """Close the shard and put it in its place.

        Args:
            read: documents of the split that had been read, empty ones included, up to the last one added.

        Returns:
            What shard.json says.
        """
        self._write(WORD_STARTS, np.packbits(self._bits))
        for file in self._files.values():
            file.close()
            sync(Path(file.name))
        about = {
            "read": read,
            "documents": self.documents,
            "sentences": self.sentences,
            "tokens": self.tokens,
            "unknown": self.unknown,
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


def finished_shard(folder: Path, token_bytes: int) -> dict[str, Any] | None:
    """What shard.json says if the shard is whole, else None."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text("utf-8"))
        sizes = expected_sizes(about, token_bytes)
        whole = all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return None
    return about if whole else None
