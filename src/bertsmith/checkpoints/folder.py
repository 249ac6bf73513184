"""Model folders: what transformers, sentence-transformers, text-embeddings-inference and bertsmith all open.

FOLDER/
  config.json            the sizes, as transformers writes them
  model.safetensors      the weights, fp32, with the names of `BertForPreTraining`
  vocab.txt, tokenizer.json, tokenizer_config.json
  README.md              the model card
  bertsmith.json         origin, task, labels, metrics, gelu
"""

import json
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path

from bertsmith.checkpoints.about import ABOUT, read_about
from bertsmith.checkpoints.assembly import assembled, tell_left_out
from bertsmith.checkpoints.cards import CardFacts, write_card
from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.hub import fetched, hub_name
from bertsmith.checkpoints.huggingface import judges_parts, read_config, values_of
from bertsmith.checkpoints.names import Part, check_shapes, shown
from bertsmith.checkpoints.weights import SINGLE, find_weights, is_pickle, pickled, stored_arrays, write_arrays
from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import read_config_file
from bertsmith.errors import CheckpointError
from bertsmith.files import disk_errors, json_text, write_folder_aside
from bertsmith.progress import Listener, ignore
from bertsmith.text.vocabulary import TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB_TXT, Vocabulary, read_vocabulary

__all__ = ["Checkpoint", "check_place", "read_config", "read_model_folder", "write_model_folder"]

OPTIMIZER = "optimizer.safetensors"
MODEL_FILES = frozenset(
    {"config.json", SINGLE, VOCAB_TXT, TOKENIZER_JSON, TOKENIZER_CONFIG, "README.md", ABOUT, OPTIMIZER},
)


def read_model_folder(path: Path, *, listen: Listener = ignore) -> Checkpoint:
    """Open any BERT folder with safetensors: ours, transformers', sentence-transformers', or that of a hub's name.

    Sizes, names and shapes are checked before a weight is read.

    Args:
        path: the folder, or `owner/name` of a model on a hub where no such folder stands.
        listen: is told which heads are left out, and where a hub's model comes from.

    Raises:
        CheckpointError: no folder, no safetensors, damaged files, arrays that do not fit config.json, an untied MLM head.
        ConfigError: config.json is absent, wrong, or describes another network.
        DataError: the vocabulary cannot be read.
    """
    name = hub_name(path)
    if name is None:
        return _read_folder(path, listen)
    folder, revision = fetched(name, listen=listen)
    found = _read_folder(folder, listen)
    return replace(found, about={"origin": {"hub": name, "revision": revision}} | found.about)


def _read_folder(path: Path, listen: Listener) -> Checkpoint:
    _check_folder(path)
    stored = {name: array for file in find_weights(path) for name, array in stored_arrays(file).items()}
    file = read_config_file(path, form="huggingface", listen=listen)
    # bertsmith answers with a class for a text; a `classifier` for each token is another head
    left_out = ("classifier.",) if judges_parts(file.values) else ()
    tell_left_out(stored, left_out, path, listen)
    arrays = assembled(stored, file.config, path, left_out)
    vocabulary = read_vocabulary_of(path, file.config)
    return Checkpoint(file.config, arrays, vocabulary, read_about(path, file.values, arrays), source=file)


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


def read_vocabulary_of(path: Path, config: BertConfig, names: Sequence[str] = (TOKENIZER_JSON, VOCAB_TXT)) -> Vocabulary | None:
    """The vocabulary of a model folder, None where it holds none.

    Args:
        path: the folder.
        config: the sizes.
        names: the files that may hold it; the first that is there is read.

    Raises:
        CheckpointError: it has more pieces than the word table has rows.
        DataError: it cannot be read.
    """
    found = next((file for name in names if (file := path / name).is_file()), None)
    if found is None:
        return None
    vocabulary = read_vocabulary(found)
    check_vocabulary(vocabulary, config, path)
    return vocabulary


def check_vocabulary(vocabulary: Vocabulary, config: BertConfig, path: Path) -> None:
    """Refuse a vocabulary with more pieces than the word table has rows.

    Raises:
        CheckpointError: it has.
    """
    if vocabulary.size > config.vocab_size:
        raise CheckpointError(
            "vocabulary-too-large",
            "the vocabulary has {pieces} pieces and the word table only {rows} rows",
            where=path,
            do="take the vocabulary that belongs to this model",
            pieces=vocabulary.size,
            rows=config.vocab_size,
        )


def check_place(path: Path, files: Set[str] = MODEL_FILES) -> None:
    """Refuse to put a model where something else stands; jobs ask this before any long work.

    Args:
        path: the folder.
        files: what a folder may hold that bertsmith wrote, and may replace.

    Raises:
        CheckpointError: the folder holds files that no model folder of ours has, or is a file.
        MachineError: no file system takes such a name, or the folder may not be read.
    """
    with disk_errors(path):
        if path.is_dir():
            names = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
            foreign = names - files if ABOUT in names else names
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
    check_before_writing(path, checkpoint)
    with write_folder_aside(path) as folder:
        fill_model_folder(folder, checkpoint, language=language, card=card)


def check_before_writing(path: Path, checkpoint: Checkpoint, files: Set[str] = MODEL_FILES) -> None:
    """Refuse what cannot be written as a whole, before anything is written.

    Args:
        path: the folder.
        checkpoint: what is to be written.
        files: what a folder may hold that bertsmith wrote, and may replace.

    Raises:
        CheckpointError: arrays, labels or vocabulary do not fit the config, or something else stands at `path`.
    """
    check_place(path, files)
    check_shapes(checkpoint.config, {name: array.shape for name, array in checkpoint.arrays.items()}, path)
    labels_of_checkpoint(checkpoint, path)
    if checkpoint.vocabulary:
        check_vocabulary(checkpoint.vocabulary, checkpoint.config, path)


def fill_model_folder(folder: Path, checkpoint: Checkpoint, *, language: str, card: CardFacts) -> None:
    """Write the files of a model folder into an empty one; what `write_model_folder` checks is not checked here."""
    config, parts = checkpoint.config, checkpoint.parts
    labels = labels_of_checkpoint(checkpoint, folder)
    write_text(folder / "config.json", json_text(values_of(config, parts, labels, checkpoint.source)))
    write_arrays(folder / SINGLE, checkpoint.arrays)
    if checkpoint.vocabulary:
        checkpoint.vocabulary.write(folder)
        _limit_tokenizer(folder / TOKENIZER_CONFIG, config)
    write_text(folder / "README.md", write_card(config, parts, labels, card, language))
    about = checkpoint.about | ({"labels": labels} if labels else {}) | {"gelu": config.hidden_act}
    write_text(folder / ABOUT, json_text(about))


def labels_of_checkpoint(checkpoint: Checkpoint, path: Path) -> list[str]:
    """The names of the classes, [] without a classification head.

    Raises:
        CheckpointError: there are more or fewer than classes.
    """
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
    write_text(file, json_text(values | {"model_max_length": config.max_position_embeddings}))


def write_text(file: Path, text: str) -> None:
    """Write a text as it is, with the line ends that it has.

    Half a character, which a text file cannot hold, becomes a question mark: names of files that are no UTF-8 have such halves.
    """
    file.write_text(text, encoding="utf-8", errors="replace", newline="\n")
