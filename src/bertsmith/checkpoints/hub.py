"""Names as models: `owner/name` of a model hub, safetensors only, from the cache where there is no network."""

import os
import re
from pathlib import Path
from typing import Any

from bertsmith.errors import CheckpointError
from bertsmith.progress import Listener, ignore, note

SMALL = (
    "config.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "bertsmith.json",
)
_ALL = (*SMALL, "*.safetensors", "model.safetensors.index.json")
# names from the time before owners, which people still type
OWNERS = {
    "bert-base-uncased": "google-bert",
    "bert-base-cased": "google-bert",
    "bert-large-uncased": "google-bert",
    "bert-large-cased": "google-bert",
    "bert-large-uncased-whole-word-masking": "google-bert",
    "bert-large-cased-whole-word-masking": "google-bert",
    "bert-base-chinese": "google-bert",
    "bert-base-multilingual-cased": "google-bert",
    "bert-base-multilingual-uncased": "google-bert",
    "bert-base-german-cased": "google-bert",
}
_FILE_SUFFIXES = (".json", ".safetensors", ".bin", ".pt", ".h5", ".keras", ".ckpt", ".index", ".csv", ".tsv", ".jsonl", ".txt")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")


def hub_name(model: str | Path) -> str | None:
    """The full name on a hub, None where `model` is no such name: something stands there, or it is written as a path."""
    text = model.as_posix() if isinstance(model, Path) else model
    if Path(model).exists():
        return None
    if text in OWNERS:
        return f"{OWNERS[text]}/{text}"
    if Path(text).suffix in _FILE_SUFFIXES:
        return None
    owner = text.partition("/")[0]
    return text if _NAME.match(text) and not Path(owner).exists() else None


def fetched(name: str, *, files: tuple[str, ...] = _ALL, listen: Listener = ignore) -> tuple[Path, str]:
    """The folder of a hub's model in the cache, fetched where it is not there or older, and its revision.

    `HF_ENDPOINT` names another hub, `HF_HUB_OFFLINE=1` forbids the network, `HF_HOME` moves the cache, as everywhere in this field.

    Args:
        name: `owner/name`.
        files: patterns of what is wanted: everything, or `SMALL`, all but the weights.
        listen: told where the model comes from.

    Raises:
        CheckpointError: neither the network nor the cache has it, or it has no safetensors.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from huggingface_hub import constants, snapshot_download

    reason = "HF_HUB_OFFLINE" if constants.HF_HUB_OFFLINE else ""
    if not reason:
        listen(note("asking-hub", "asking {endpoint} for {name}", endpoint=constants.ENDPOINT, name=name))
    try:
        folder = None if reason else _snapshot(snapshot_download, name, files, offline=False)
    except Exception as error:  # what the library raises is not one tree: HTTP, sockets, its own
        folder, reason = None, _first_line(error)
    if folder is None:
        folder = _from_cache(snapshot_download, name, files, constants.ENDPOINT, reason)
        listen(note("model-from-cache", "{name} is taken from the cache ({reason})", name=name, reason=reason))
    if files == _ALL and not any(folder.glob("*.safetensors")):
        raise CheckpointError(
            "hub-without-safetensors",
            "there are no safetensors in it",
            where=name,
            do="fetch its weights yourself and run `bertsmith convert FOLDER NEW`, or choose a model that has safetensors",
        )
    listen(note("model-of-hub", "{name} at revision {revision}", name=name, revision=folder.name))
    return folder, folder.name


def _snapshot(download: Any, name: str, files: tuple[str, ...], *, offline: bool) -> Path:
    return Path(download(name, allow_patterns=list(files), local_files_only=offline))


def _from_cache(download: Any, name: str, files: tuple[str, ...], endpoint: str, reason: str) -> Path:
    try:
        return _snapshot(download, name, files, offline=True)
    except Exception as error:  # see above
        raise CheckpointError(
            "no-such-model-anywhere",
            "there is no such folder, the cache has no such model, and {endpoint} did not give it ({reason})",
            where=name,
            do="check the name or the path; or set HF_ENDPOINT to a hub that you reach; or copy the model's folder here from a machine "
            "that has it, and give its path",
            endpoint=endpoint,
            reason=reason,
        ) from error


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
