"""Model folders: what transformers, sentence-transformers, text-embeddings-inference and bertsmith all open.

FOLDER/
  config.json            the sizes, as transformers writes them
  model.safetensors      the weights, fp32, with the names of `BertForPreTraining`
  vocab.txt, tokenizer.json, tokenizer_config.json
  README.md              the model card
  bertsmith.json         origin, task, labels, metrics, gelu
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.cards import CardFacts, write_card
from bertsmith.checkpoints.huggingface import labels_of, read_config, read_values, values_of
from bertsmith.checkpoints.names import (
    DECODER,
    DECODER_BIAS,
    MLM_BIAS,
    TABLE,
    Part,
    check_shapes,
    is_other_head,
    our_name,
    parts_in,
    shown,
)
from bertsmith.checkpoints.weights import SINGLE, StoredArray, find_weights, is_pickle, pickled, stored_arrays, write_arrays
from bertsmith.config.bert import BertConfig
from bertsmith.errors import CheckpointError
from bertsmith.files import json_text, write_folder_aside
from bertsmith.progress import Listener, ignore, note
from bertsmith.text.vocabulary import Vocabulary, read_vocabulary

__all__ = ["Checkpoint", "check_place", "read_config", "read_model_folder", "write_model_folder"]

_ABOUT = "bertsmith.json"
_OURS = {"config.json", SINGLE, "vocab.txt", "tokenizer.json", "tokenizer_config.json", "README.md", _ABOUT}
_VOCABULARIES = ("vocab.txt", "tokenizer.json")
# heads of transformers that are called `classifier` too, and judge tokens or choices instead of whole texts
_OTHER_CLASSIFIERS = ("BertForTokenClassification", "BertForMultipleChoice")
_TIES = ((DECODER, TABLE), (DECODER_BIAS, MLM_BIAS))


@dataclass(frozen=True)
class Checkpoint:
    """A BERT at rest: its sizes, its weights by name, its vocabulary, and what is known about it.

    Args:
        config: the sizes.
        arrays: fp32 arrays with the names of `BertForPreTraining`, `classifier.weight` and `classifier.bias` beside them;
            the tied decoder of the MLM head is not among them.
        vocabulary: None where the folder holds none.
        about: the content of bertsmith.json: origin, task, labels, metrics, gelu. From a folder of another writer: the labels
            of its classification head, or nothing.
    """

    config: BertConfig
    arrays: dict[str, NDArray[np.float32]]
    vocabulary: Vocabulary | None = None
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> frozenset[Part]:
        """The parts of the network that the arrays hold."""
        return parts_in(self.arrays)

    def needed_vocabulary(self, where: Path) -> Vocabulary:
        """The vocabulary, for work that cannot do without; `where` is the folder, for the message.

        Raises:
            CheckpointError: the folder holds none.
        """
        if self.vocabulary is None:
            raise CheckpointError(
                "no-vocabulary-in-model",
                "the model folder holds no vocabulary",
                where=where,
                do="put the model's vocab.txt or tokenizer.json there",
            )
        return self.vocabulary


def read_model_folder(path: Path, *, listen: Listener = ignore) -> Checkpoint:
    """Open any BERT folder with safetensors: ours, transformers', sentence-transformers'.

    Sizes, names and shapes are checked before a weight is read.

    Args:
        path: the folder.
        listen: is told which heads are left out.

    Raises:
        CheckpointError: no folder, no safetensors, damaged files, arrays that do not fit config.json, an untied MLM head.
        ConfigError: config.json is absent, wrong, or describes another network.
        DataError: the vocabulary cannot be read.
    """
    _check_folder(path)
    stored = {name: array for file in find_weights(path) for name, array in stored_arrays(file).items()}
    config = read_config(path, listen=listen)
    values = read_values(path / "config.json")
    kept = _kept(stored, values, path, listen)
    untied = {ours: kept.pop(ours) for ours, _ in _TIES if ours in kept}
    _untie(kept, untied)
    check_shapes(config, {name: array.shape for name, array in kept.items()}, path)
    vocabulary = _read_vocabulary(path, config)
    about = _read_about(path, values, kept)
    arrays = {name: array.read() for name, array in kept.items()}
    _check_ties(arrays, untied, path)
    return Checkpoint(config, arrays, vocabulary, about)


def _check_folder(path: Path) -> None:
    if path.is_dir():
        return
    if path.is_file():
        if is_pickle(path):
            raise pickled(path, path.name)
        raise CheckpointError(
            "model-is-a-file",
            "this is a file, not a model folder",
            where=path,
            do="give the folder that holds config.json and model.safetensors",
        )
    raise CheckpointError(
        "no-model-folder", "there is no such folder", where=path, do="check the path; a model is a folder with config.json"
    )


def _kept(stored: Mapping[str, StoredArray], values: Mapping[str, Any], path: Path, listen: Listener) -> dict[str, StoredArray]:
    """The arrays that we keep, under our names."""
    other_classifier = any(name in _OTHER_CLASSIFIERS for name in values.get("architectures") or ())
    kept: dict[str, StoredArray] = {}
    left_out, twice = [], []
    for name, array in stored.items():
        ours = our_name(name)
        if ours is None:
            continue
        if is_other_head(ours) or (other_classifier and ours.startswith("classifier.")):
            left_out.append(name)
        elif ours in kept:
            twice.append(ours)
        else:
            kept[ours] = array
    if twice:
        raise CheckpointError(
            "arrays-twice",
            "{count} arrays are stored under two names: {names}",
            where=path,
            do="save the model again with transformers' save_pretrained",
            count=len(twice),
            names=shown(twice),
        )
    if left_out:
        listen(
            note(
                "head-left-out",
                "the head of another task is left out: {names} in {path}",
                names=shown(left_out),
                path=str(path),
            )
        )
    return kept


def _untie(kept: dict[str, StoredArray], untied: Mapping[str, StoredArray]) -> None:
    """Where only the MLM head's copy of a tied array was stored, it is the array."""
    for copy, ours in _TIES:
        if copy in untied and ours not in kept:
            kept[ours] = untied[copy]


def _check_ties(arrays: Mapping[str, NDArray[np.float32]], untied: Mapping[str, StoredArray], path: Path) -> None:
    for copy, ours in _TIES:
        if copy in untied and not np.array_equal(untied[copy].read(), arrays[ours]):
            raise CheckpointError(
                "untied-head",
                "{copy} differs from {ours}; in a BERT the masked-LM head shares the word table",
                where=path,
                do="take a model with tied weights, or remove the arrays that begin with cls.predictions to use the encoder alone",
                copy=copy,
                ours=ours,
            )


def _read_vocabulary(path: Path, config: BertConfig) -> Vocabulary | None:
    if not any((path / name).is_file() for name in _VOCABULARIES):
        return None
    vocabulary = read_vocabulary(path)
    _check_vocabulary(vocabulary, config, path)
    return vocabulary


def _check_vocabulary(vocabulary: Vocabulary, config: BertConfig, path: Path) -> None:
    if vocabulary.size > config.vocab_size:
        raise CheckpointError(
            "vocabulary-too-large",
            "the vocabulary has {pieces} pieces and the word table only {rows} rows",
            where=path,
            do="take the vocabulary that belongs to this model",
            pieces=vocabulary.size,
            rows=config.vocab_size,
        )


def _read_about(path: Path, values: Mapping[str, Any], kept: Mapping[str, StoredArray]) -> dict[str, Any]:
    classes = kept["classifier.bias"].shape[0] if "classifier.bias" in kept else 0
    if not (path / _ABOUT).is_file():
        return {"labels": labels_of(values, classes)} if classes else {}
    try:
        about = json.loads((path / _ABOUT).read_text(encoding="utf-8"))
        fits = isinstance(about, dict) and len(about.get("labels", ())) == classes
    except (ValueError, TypeError) as error:
        raise _damaged_about(path, classes) from error
    if not fits:
        raise _damaged_about(path, classes)
    found: dict[str, Any] = about
    return found


def _damaged_about(path: Path, classes: int) -> CheckpointError:
    return CheckpointError(
        "damaged-about",
        "bertsmith.json is damaged, or its labels are not those of the {classes} classes in the weights",
        where=path / _ABOUT,
        do="copy the whole folder again; without this file the model opens like one of transformers",
        classes=classes,
    )


def check_place(path: Path) -> None:
    """Refuse to put a model where something else stands; jobs ask this before any long work.

    Raises:
        CheckpointError: the folder holds files that no model folder of ours has, or is a file.
    """
    if path.is_dir():
        names = {file.name for file in path.iterdir()}
        foreign = names - _OURS if _ABOUT in names else names
    else:
        foreign = {path.name} if path.exists() else set()
    if foreign:
        raise CheckpointError(
            "model-place-taken",
            "something else stands there: {names}",
            where=path,
            do="choose another folder for the model; nothing was touched",
            names=shown(sorted(foreign)),
        )


def write_model_folder(path: Path, checkpoint: Checkpoint, *, language: str, card: CardFacts) -> None:
    """Write a whole model folder; an older model of ours at `path` is replaced when every file of the new one is on the disk.

    Args:
        path: the folder.
        checkpoint: sizes, arrays, vocabulary, and what bertsmith.json shall tell.
        language: of the model card, `en` or `zh`.
        card: facts for the model card.

    Raises:
        CheckpointError: arrays, labels or vocabulary do not fit the config, or something else stands at `path`.
        MachineError: the disk is full or may not be written; what stood there before is unharmed.
    """
    check_place(path)
    config, parts = checkpoint.config, checkpoint.parts
    check_shapes(config, {name: array.shape for name, array in checkpoint.arrays.items()}, path)
    labels = _labels(checkpoint, path)
    if checkpoint.vocabulary:
        _check_vocabulary(checkpoint.vocabulary, config, path)
    with write_folder_aside(path) as folder:
        _write_text(folder / "config.json", json_text(values_of(config, parts, labels)))
        write_arrays(folder / SINGLE, checkpoint.arrays)
        if checkpoint.vocabulary:
            checkpoint.vocabulary.write(folder)
            _limit_tokenizer(folder / "tokenizer_config.json", config)
        _write_text(folder / "README.md", write_card(config, parts, labels, card, language))
        about = checkpoint.about | ({"labels": labels} if labels else {}) | {"gelu": config.hidden_act}
        _write_text(folder / _ABOUT, json_text(about))


def _labels(checkpoint: Checkpoint, path: Path) -> list[str]:
    """The names of the classes, [] without a classification head."""
    labels: list[str] = list(checkpoint.about.get("labels", ()))
    classes = len(checkpoint.arrays["classifier.bias"]) if Part.CLASSIFIER in checkpoint.parts else 0
    if len(labels) != classes:
        raise CheckpointError(
            "labels-without-classes",
            "there are {labels} labels for {classes} classes",
            where=path,
            do="give a label for each row of classifier.weight",
            labels=len(labels),
            classes=classes,
        )
    return labels


def _limit_tokenizer(file: Path, config: BertConfig) -> None:
    """Tell transformers how long a text may be; the vocabulary does not know."""
    values = json.loads(file.read_text(encoding="utf-8"))
    _write_text(file, json_text(values | {"model_max_length": config.max_position_embeddings}))


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")
