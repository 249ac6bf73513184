"""A `Checkpoint` written in the form of another kind; whatever that form has no place for is kept beside it, and said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.about import ABOUT
from bertsmith.checkpoints.cards import CardFacts
from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.folder import (
    MODEL_FILES,
    OPTIMIZER,
    check_before_writing,
    fill_model_folder,
    labels_of_checkpoint,
    write_text,
)
from bertsmith.checkpoints.google import Layout, write_tensorflow
from bertsmith.checkpoints.huggingface import values_of
from bertsmith.checkpoints.keras import TASK, TASK_WEIGHTS, VOCABULARY, WEIGHTS, task_json, write_keras, write_tokenizer
from bertsmith.checkpoints.names import MLM_BIAS, Part, parts_in
from bertsmith.checkpoints.sources import REST, Kind
from bertsmith.checkpoints.transformers_h5 import FILE as H5_FILE
from bertsmith.checkpoints.transformers_h5 import write_transformers_h5
from bertsmith.checkpoints.weights import SINGLE, Arrays, write_arrays
from bertsmith.config.formats import write_config
from bertsmith.errors import UsageError
from bertsmith.files import json_text, write_folder_aside
from bertsmith.messages import Phrase
from bertsmith.text.vocabulary import VOCAB_TXT

PREFIX = "bert_model.ckpt"
WRITTEN = tuple(kind for kind in Kind if kind is not Kind.PYTORCH)  # a pickle is read, and never written
# what a folder holds that one of these writers made
_FILES = MODEL_FILES | {
    *("bert_config.json", REST, H5_FILE, TASK, WEIGHTS, TASK_WEIGHTS, VOCABULARY.as_posix()),
    *(f"{PREFIX}.index", f"{PREFIX}.data-00000-of-00001"),
    *("checkpoint", "metadata.json"),  # what TensorFlow and keras-hub put beside their own, and never need
}
KERAS_HEAD = Phrase(
    "keras-hub's masked-LM head adds 1e-5 to the variance in its norm, whatever layer_norm_eps is: its logits differ a little",
    "keras-hub 的掩码语言模型头在归一化时总给方差加 1e-5（与 layer_norm_eps 无关）：其 logits 略有不同",
)


@dataclass(frozen=True)
class Written:
    """What a writer did.

    Args:
        weights: the file that holds the weights.
        beside: arrays that this form has no place for; they stand in `rest.safetensors`.
        said: what the form's own code will not honour.
        elsewhere: parts that stand in another file than `weights`.
        replaced: whether an older model at this place was replaced.
    """

    weights: str
    beside: tuple[str, ...]
    said: tuple[Phrase, ...]
    elsewhere: Mapping[Part, str] = field(default_factory=dict)
    replaced: bool = False


def write_target(path: Path, kind: Kind, checkpoint: Checkpoint, *, language: str, card: CardFacts) -> Written:
    """Write a folder of some kind; an older one that bertsmith wrote there is replaced when every file is on the disk.

    Args:
        path: the folder.
        kind: the form, each but `pytorch`.
        checkpoint: what to write.
        language: of the model card, `en` or `zh`.
        card: facts for the model card.

    Raises:
        CheckpointError: arrays, labels or vocabulary do not fit the config, or something else stands at `path`.
        UsageError: pickles are not written.
        MachineError: the disk is full or may not be written, or a package is missing.
    """
    if kind not in WRITTEN:
        raise UsageError(
            "pickle-not-written",
            "bertsmith reads pickles and writes none, because whoever opens one runs it",
            do="use --to {kinds}; PyTorch and transformers open the safetensors of `huggingface`",
            kinds=", ".join(WRITTEN),
        )
    check_before_writing(path, checkpoint, _FILES)
    older = path.exists()
    with write_folder_aside(path) as folder:
        if kind is Kind.HUGGINGFACE:
            fill_model_folder(folder, _with_step(checkpoint), language=language, card=card)
            _write_slots(folder, checkpoint)
            return Written(SINGLE, (), (), replaced=older)
        return replace(_WRITERS[kind](folder, checkpoint), replaced=older)


def _with_step(checkpoint: Checkpoint) -> Checkpoint:
    """The step goes to bertsmith.json, where a form has no place for it."""
    if checkpoint.step is None:
        return checkpoint
    return replace(checkpoint, about=checkpoint.about | {"step": checkpoint.step})


def _google(folder: Path, checkpoint: Checkpoint) -> Written:
    return _tensorflow(folder, checkpoint, Layout.TF1)


def _google_tf2(folder: Path, checkpoint: Checkpoint) -> Written:
    return _tensorflow(folder, checkpoint, Layout.TF2)


def _tensorflow(folder: Path, checkpoint: Checkpoint, kind: Layout) -> Written:
    values, said = write_config(checkpoint.config, "google", checkpoint.source)
    write_text(folder / "bert_config.json", json_text(values))
    _write_vocabulary(folder, checkpoint)
    _write_about(folder, checkpoint)
    write_tensorflow(
        folder / PREFIX,
        checkpoint.arrays,
        heads=checkpoint.config.num_attention_heads,
        slots=checkpoint.slots,
        step=checkpoint.step,
        kind=kind,
    )
    return Written(PREFIX, (), said)


def _transformers_h5(folder: Path, checkpoint: Checkpoint) -> Written:
    labels = labels_of_checkpoint(checkpoint, folder)
    values = values_of(checkpoint.config, checkpoint.parts, labels, checkpoint.source)
    if values["hidden_act"] == "gelu_pytorch_tanh":  # a name that the TensorFlow classes never had
        values["hidden_act"] = "gelu_new"
    write_text(folder / "config.json", json_text(values))
    if checkpoint.vocabulary:
        checkpoint.vocabulary.write(folder)
    _write_about(folder, _with_step(checkpoint))
    _write_slots(folder, checkpoint)
    write_transformers_h5(folder / H5_FILE, checkpoint.arrays)
    return Written(H5_FILE, (), ())


def _keras(folder: Path, checkpoint: Checkpoint) -> Written:
    values, said = write_config(checkpoint.config, "keras", checkpoint.source)
    beside = write_keras(folder, checkpoint.arrays, checkpoint.config.num_attention_heads)
    if beside:
        write_arrays(folder / REST, {name: checkpoint.arrays[name] for name in beside})
    write_text(folder / "config.json", json_text(values))
    task = task_json(values, checkpoint.arrays)
    if task:
        write_text(folder / TASK, json_text(task))
    vocabulary = checkpoint.vocabulary
    if vocabulary:
        accents = vocabulary.lowercase if vocabulary.strip_accents is None else vocabulary.strip_accents
        write_tokenizer(folder, vocabulary.pieces, vocabulary.lowercase, accents)
    _write_about(folder, _with_step(checkpoint))
    _write_slots(folder, checkpoint)
    head = Part.MLM if MLM_BIAS in checkpoint.arrays else Part.CLASSIFIER
    elsewhere = {head: TASK_WEIGHTS} | dict.fromkeys(parts_in(beside), REST)
    return Written(WEIGHTS, beside, (*said, *([KERAS_HEAD] if head is Part.MLM else [])), elsewhere)


_WRITERS: Mapping[Kind, Callable[[Path, Checkpoint], Written]] = {
    Kind.GOOGLE: _google,
    Kind.GOOGLE_TF2: _google_tf2,
    Kind.TRANSFORMERS_H5: _transformers_h5,
    Kind.KERAS: _keras,
}


def _write_vocabulary(folder: Path, checkpoint: Checkpoint) -> None:
    """A bare vocab.txt, as Google's releases have it; bertsmith.json says how texts are made ready."""
    if checkpoint.vocabulary:
        write_text(folder / VOCAB_TXT, "".join(piece + "\n" for piece in checkpoint.vocabulary.pieces))


def _write_about(folder: Path, checkpoint: Checkpoint) -> None:
    about: dict[str, Any] = checkpoint.about | {"gelu": checkpoint.config.hidden_act}
    if checkpoint.vocabulary:
        told = checkpoint.vocabulary
        about["text"] = {"lowercase": told.lowercase, "strip_accents": told.strip_accents, "split_chinese": told.split_chinese}
    write_text(folder / ABOUT, json_text(about))


def _write_slots(folder: Path, checkpoint: Checkpoint) -> None:
    """Adam's means, in a file of our own; a form of TensorFlow has a place for them, the others have none."""
    slots: Arrays = {f"{slot}.{name}": array for slot, arrays in checkpoint.slots.items() for name, array in arrays.items()}
    if slots:
        write_arrays(folder / OPTIMIZER, slots)
