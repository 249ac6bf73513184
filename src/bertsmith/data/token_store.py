"""The token store: a corpus as numbers that any later job maps into memory. Nothing later reads the text again.

    store/
      manifest.json                                        version, counts, hashes, where it comes from
      vocab.txt  tokenizer.json  tokenizer_config.json     the vocabulary
      train-00000/  train-00001/ …  held-out-00000/ …      shards, see `shards`

It is written beside its place and renamed as a whole. An interrupted write keeps its finished shards, and the same call goes on behind
them; the bytes are the same however often it was interrupted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bertsmith.data.corpus import Document, RawDocument
from bertsmith.data.encoding import EncodingOptions, encode_batch
from bertsmith.data.shards import Shard, expected_sizes, token_type
from bertsmith.data.store_manifest import SPLITS, VERSION, is_store, read_manifest
from bertsmith.data.store_writer import StoreWriter, writing
from bertsmith.errors import DataError
from bertsmith.progress import Advance, Listener, Stage, ignore
from bertsmith.text.vocabulary import Vocabulary, read_vocabulary
from bertsmith.text.words import PIECES

__all__ = ["SPLITS", "TokenStore", "is_store", "write_store"]
BATCH = 2**20  # characters that are encoded at once


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
        manifest = read_manifest(folder)
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

    @property
    def words(self) -> str:
        """Who found the words among Chinese characters: a segmenter with its version, or `pieces`, where each character is a word."""
        return str(self.manifest.get("words", PIECES))

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
    with writing(folder, vocabulary, {"shard_tokens": shard_tokens, "origin": origin}, listen) as writer:
        if not writer.complete:
            _encode(documents, writer, listen)
            writer.finish({"words": PIECES, "origin": dict(origin)})
    return TokenStore.open(folder)


def _encode(documents: Iterable[Document], writer: StoreWriter, listen: Listener) -> None:
    listen(Stage("encode", unit="documents"))
    options = EncodingOptions(writer.parts)
    done = writer.saved["documents"] if writer.saved else 0
    tokens = sentences = 0
    for batch in _batches(documents, done):
        encoded = encode_batch(tuple(RawDocument(document.sentences, True, False) for document in batch), options)
        of_document = np.repeat(np.arange(len(batch)), encoded.sentences_R)
        for split in SPLITS:
            wanted = np.array([document.split == split for document in batch], bool)
            writer.add(split, encoded.text.where(wanted[of_document]), encoded.sentences_R[wanted])
        done += len(batch)
        tokens, sentences = tokens + len(encoded.text.ids_T), sentences + len(encoded.text)
        listen(Advance(done, {"tokens": tokens, "sentences": sentences}))
        if writer.is_due:
            writer.save({"documents": done}, {})


def _batches(documents: Iterable[Document], done: int) -> Iterator[list[Document]]:
    """The documents behind the first ones, about a million characters at a time."""
    batch: list[Document] = []
    size = 0
    for document in islice(documents, done, None):
        batch.append(document)
        size += sum(map(len, document.sentences))
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _wrong_size(path: Path, found: int, size: int) -> DataError:
    return DataError(
        "store-truncated",
        "the file has {found} bytes instead of {size}",
        where=path,
        do="copy the store again from where it came, or run `bertsmith prepare` again",
        found=found,
        size=size,
    )
