"""What a token store says about itself: version, counts, hashes, where it comes from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsmith.data.corpus import HELD_OUT, TRAIN
from bertsmith.data.shards import COUNTED
from bertsmith.errors import DataError
from bertsmith.files import json_text, sha256, sha256_of
from bertsmith.text.vocabulary import TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB_TXT, Vocabulary

FORMAT, VERSION = "bertsmith token store", 1
MANIFEST = "manifest.json"
SPLITS = (TRAIN, HELD_OUT)


def manifest(
    vocabulary: Vocabulary, parts: Path, shards: Mapping[str, Sequence[Mapping[str, Any]]], about: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of a store.

    Args:
        vocabulary: its vocabulary.
        parts: the folder with its files.
        shards: what is known of the shards of each split.
        about: what else is to be told, such as `words` and `origin`.
    """
    counts = {split: {what: sum(shard[what] for shard in found) for what in COUNTED} for split, found in shards.items()}
    facts = {"vocabulary": vocabulary.sha256, "shards": {split: list(found) for split, found in shards.items()}}
    return {
        "format": FORMAT,
        "version": VERSION,
        "sha256": sha256_of(json_text(facts).encode()),
        "counts": counts,
        "vocabulary": {"size": vocabulary.size, "lowercase": vocabulary.lowercase, "sha256": vocabulary.sha256},
        **about,
        "files": {name: sha256(parts / name) for name in (VOCAB_TXT, TOKENIZER_JSON, TOKENIZER_CONFIG)},
        "shards": facts["shards"],
    }


def is_store(folder: Path) -> bool:
    """Whether a folder is a token store of any version."""
    try:
        return bool(json.loads((folder / MANIFEST).read_text("utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """The manifest of a token store.

    Raises:
        DataError: there is no store, or its manifest lacks something.
    """
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
