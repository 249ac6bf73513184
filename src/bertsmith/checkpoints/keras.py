"""Keras: the preset folders of keras-hub (`config.json`, `model.weights.h5`, `task.weights.h5`) and whole `.keras` files.

Keras names the groups of a file by class and number (`layers/transformer_encoder_1/…/vars/0`) and puts the name that a person knows beside
them; arrays are found by that name and written at those places. H heads' arrays there are (D, A, H) and (A, H, D).
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.h5 import check_floats, read_h5, write_h5
from bertsmith.checkpoints.json_objects import json_object
from bertsmith.checkpoints.names import MLM_BIAS
from bertsmith.checkpoints.weights import Arrays, in_fp32, keep
from bertsmith.errors import CheckpointError
from bertsmith.files import json_text

WEIGHTS, TASK_WEIGHTS, TASK = "model.weights.h5", "task.weights.h5", "task.json"
VOCABULARY = Path("assets") / "tokenizer" / "vocabulary.txt"
_MOST_BYTES = 64 * 2**30  # of a part of a `.keras` file; assumed: sixty times the largest BERT
# what reading a packed file can end in: damaged, encrypted, packed in a way that Python does not know, nested without end
_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, ValueError, RuntimeError)
_RATIO = 200  # weights do not shrink that much when they are packed; assumed

# the place of a layer, the name that Keras has for it, and our name; a kernel of Keras is transposed
_OUTSIDE = (
    ("layers/reversible_embedding", "token_embedding", "bert.embeddings.word_embeddings"),
    ("layers/position_embedding", "position_embedding", "bert.embeddings.position_embeddings"),
    ("layers/embedding", "segment_embedding", "bert.embeddings.token_type_embeddings"),
    ("layers/layer_normalization", "embeddings_layer_norm", "bert.embeddings.LayerNorm"),
    ("layers/dense", "pooled_dense", "bert.pooler.dense"),
)
_INSIDE = (
    ("_self_attention_layer/query_dense", "query", "attention.self.query"),
    ("_self_attention_layer/key_dense", "key", "attention.self.key"),
    ("_self_attention_layer/value_dense", "value", "attention.self.value"),
    ("_self_attention_layer/output_dense", "attention_output", "attention.output.dense"),
    ("_self_attention_layer_norm", "self_attention_layer_norm", "attention.output.LayerNorm"),
    ("_feedforward_intermediate_dense", "feedforward_intermediate_dense", "intermediate.dense"),
    ("_feedforward_output_dense", "feedforward_output_dense", "output.dense"),
    ("_feedforward_layer_norm", "feedforward_layer_norm", "output.LayerNorm"),
)
_MLM = (
    ("layers/masked_lm_head/_intermediate_dense", "intermediate_dense", "cls.predictions.transform.dense"),
    ("layers/masked_lm_head/_intermediate_layer_norm", "intermediate_layer_norm", "cls.predictions.transform.LayerNorm"),
)
_CLASSIFIER = (("layers/dense", "logits", "classifier"),)
_LAYER = "transformer_layer_"


def read_keras(path: Path) -> tuple[Arrays, tuple[str, ...]]:
    """The arrays of a preset folder, of a `.keras` or of a `.weights.h5` file under our names, and the paths that belong to no BERT.

    Raises:
        CheckpointError: damaged, or packed so that it would not fit the disk, or with paths that climb out of the file.
        MachineError: h5py is not installed.
    """
    arrays: Arrays = {}
    left_over: list[str] = []
    with _weight_files(path) as files:
        for file in files:
            left_over += _add(arrays, *read_h5(file), file)
    return arrays, tuple(left_over)


@contextmanager
def _weight_files(path: Path) -> Iterator[list[Path]]:
    """The h5 files of a folder, or of a `.keras` file unpacked for as long as they are needed."""
    if path.is_dir():
        yield [file for name in (WEIGHTS, TASK_WEIGHTS) if (file := path / name).is_file()]
    elif path.suffix == ".h5":
        yield [path]
    else:
        with TemporaryDirectory() as place:
            yield [_unpacked(path, place)]


def _unpacked(path: Path, place: str) -> Path:
    try:
        with zipfile.ZipFile(path) as packed:
            _check_parts(packed, path)
            return Path(packed.extract(WEIGHTS, place))
    except _BROKEN as error:
        raise _damaged(path, str(error)) from error


def read_keras_config(path: Path) -> dict[str, Any]:
    """The config inside a `.keras` file.

    Raises:
        CheckpointError: damaged.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            _check_parts(packed, path)
            found = json_object(packed.read("config.json"))
    except _BROKEN as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(found.get("config"), dict):
        raise _damaged(path, "its config.json describes no model")
    # a task wraps the backbone that the sizes are of
    inner = found["config"].get("backbone")
    config: dict[str, Any] = inner if isinstance(inner, dict) else found
    return config


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        "damaged-keras",
        "the file is truncated, damaged, or no model of Keras 3: {reason}",
        where=path,
        do="copy or download it again, or save it anew with model.save(…)",
        reason=reason,
    )


def _check_parts(packed: zipfile.ZipFile, path: Path) -> None:
    """Refuse a packed file that would unpack to something else than a model."""
    for part in packed.infolist():
        climbs = part.filename.startswith(("/", "\\")) or ".." in Path(part.filename).parts
        if climbs:
            raise CheckpointError(
                "packed-path",
                "{name} in it climbs out of the file",
                where=path,
                do="do not open this file elsewhere; take the model from where it comes from",
                name=part.filename,
            )
        if part.file_size > _MOST_BYTES or part.file_size > _RATIO * max(part.compress_size, 1) + 2**20:
            raise CheckpointError(
                "packed-bomb",
                "{name} in it would unpack from {packed} to {size} bytes",
                where=path,
                do="do not open this file elsewhere; take the model from where it comes from",
                name=part.filename,
                packed=part.compress_size,
                size=part.file_size,
            )


def _add(arrays: Arrays, found: Mapping[str, NDArray[Any]], names: Mapping[str, str], file: Path) -> list[str]:
    """Add what one file holds, under our names; returns the paths that belong to no BERT."""
    left_over = []
    for path, array in found.items():
        group, _, number = path.rpartition("/vars/")
        ours = _our_name(group, names, number)
        if ours is not None:
            check_floats(path, array, file)
            keep(arrays, ours, _turned(ours, array), file)
        elif not group.startswith("optimizer"):
            left_over.append(path)
    return left_over


def _our_name(group: str, names: Mapping[str, str], number: str) -> str | None:
    """Our name for variable `number` of a group, None where no BERT has it."""
    parts = group.split("/")
    told = [names.get("/".join(parts[: i + 1]), "") for i in range(len(parts))]
    leaf = "weight" if number == "0" else "bias"
    if told[-1] == "mlm_head":
        return MLM_BIAS if number == "0" else None
    layer = next((name for name in told if name.startswith(_LAYER)), None)
    if layer is None:
        name = next((ours for _, theirs, ours in (*_OUTSIDE, *_MLM, *_CLASSIFIER) if theirs == told[-1]), None)
        return None if name is None else f"{name}.{leaf}"
    inner = next((ours for place, _, ours in _INSIDE if group.endswith("/" + place)), None)
    return None if inner is None else f"bert.encoder.layer.{layer.removeprefix(_LAYER)}.{inner}.{leaf}"


def _is_table(name: str) -> bool:
    return "_embeddings." in name


def _turned(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    """An array of Keras in torch's orientation: heads joined, kernels transposed."""
    values = in_fp32(array)
    if name.endswith(".bias"):
        return values.reshape(-1)
    if values.ndim == 3:
        first, second, third = values.shape
        values = values.reshape((first * second, third) if ".attention.output." in name else (first, second * third))
    return values if values.ndim == 1 or _is_table(name) else np.ascontiguousarray(values.T)


def write_keras(folder: Path, arrays: Mapping[str, NDArray[np.float32]], heads: int) -> tuple[str, ...]:
    """Write `model.weights.h5` for the encoder and its pooler, `task.weights.h5` for a masked-LM or a classification head.

    Args:
        folder: where the files go.
        arrays: under our names.
        heads: attention heads of a layer.

    Returns:
        The names of those arrays that Keras has no place for: a next-sentence or question-answering head, or one of two heads.

    Raises:
        MachineError: h5py is not installed.
    """
    backbone = [("", "bert_backbone")]
    written = _write(folder / WEIGHTS, arrays, [*_OUTSIDE, *_layers(arrays)], backbone, heads)
    if MLM_BIAS in arrays:
        task = [("", "bert_masked_lm"), ("layers/masked_lm_head", "mlm_head")]
        written |= _write(folder / TASK_WEIGHTS, arrays, list(_MLM), task, heads) | {MLM_BIAS}
    elif "classifier.weight" in arrays:
        written |= _write(folder / TASK_WEIGHTS, arrays, list(_CLASSIFIER), [("", "bert_text_classifier")], heads)
    return tuple(name for name in arrays if name not in written)


def _layers(arrays: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    count = len({name.split(".")[3] for name in arrays if name.startswith("bert.encoder.layer.")})
    for number in range(count):
        place = "layers/transformer_encoder" + (f"_{number}" if number else "")
        for inside, theirs, ours in _INSIDE:
            yield f"{place}/{inside}", theirs, f"bert.encoder.layer.{number}.{ours}"


def _write(
    file: Path,
    arrays: Mapping[str, NDArray[np.float32]],
    places: list[tuple[str, str, str]],
    groups: list[tuple[str, str]],
    heads: int,
) -> set[str]:
    """Write the arrays of some places; what was written."""
    found: dict[str, NDArray[np.float32]] = {}
    names = dict(groups)
    written = set()
    for place, theirs, ours in places:
        for number, leaf in enumerate(("weight", "bias")):
            name = f"{ours}.{leaf}"
            if name in arrays:
                found[f"{place}/vars/{number}"] = _theirs(name, arrays[name], heads)
                names[place] = theirs
                written.add(name)
    for layer in sorted({place.split("/")[1] for place, _, _ in places if "transformer_encoder" in place}):
        names[f"layers/{layer}"] = _LAYER + (layer.rpartition("_")[2] if layer[-1].isdigit() else "0")
        names[f"layers/{layer}/_self_attention_layer"] = "self_attention_layer"
    if "layers/masked_lm_head" in names:
        found["layers/masked_lm_head/vars/0"] = arrays[MLM_BIAS]
    write_h5(file, found, names)
    return written


def _theirs(name: str, array: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """An array as Keras has it: kernels transposed, heads apart."""
    if _is_table(name) or "LayerNorm" in name:
        return array
    split = ".attention.self." in name
    if array.ndim == 1:
        return array.reshape(heads, -1) if split else array
    turned = array.T
    if split:
        return turned.reshape(turned.shape[0], heads, -1)
    return turned.reshape(heads, -1, turned.shape[1]) if ".attention.output.dense" in name else turned


def task_json(backbone: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, Any] | None:
    """The content of task.json, None for a model without a head that Keras has."""
    if MLM_BIAS in arrays:
        return _task("bert_masked_lm", "BertMaskedLM", {"backbone": dict(backbone), "preprocessor": None})
    if "classifier.weight" in arrays:
        values = {
            "num_classes": len(arrays["classifier.weight"]),
            "activation": "linear",
            "dropout": backbone["config"]["dropout"],
        }
        return _task("bert_text_classifier", "BertTextClassifier", {"backbone": dict(backbone), "preprocessor": None} | values)
    return None


def _task(module: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    place = f"keras_hub.src.models.bert.{module}"
    return {
        "module": place,
        "class_name": name,
        "config": values | {"name": module},
        "registered_name": f"keras_hub>{name}",
    }


def write_tokenizer(folder: Path, pieces: tuple[str, ...], lowercase: bool, strip_accents: bool) -> None:
    """Write `tokenizer.json` and the vocabulary where keras-hub looks for them."""
    values = {
        "name": "bert_tokenizer",
        "trainable": True,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "int32"}, "registered_name": None},
        "config_file": "tokenizer.json",
        "vocabulary": None,
        "sequence_length": None,
        "lowercase": lowercase,
        "strip_accents": strip_accents,
        "split": True,
        "suffix_indicator": "##",
        "oov_token": "[UNK]",
        "special_tokens": None,
        "special_tokens_in_strings": False,
    }
    told = {
        "module": "keras_hub.src.models.bert.bert_tokenizer",
        "class_name": "BertTokenizer",
        "config": values,
        "registered_name": "keras_hub>BertTokenizer",
    }
    (folder / VOCABULARY).parent.mkdir(parents=True, exist_ok=True)
    (folder / VOCABULARY).write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8", newline="\n")
    (folder / "tokenizer.json").write_text(json_text(told), encoding="utf-8", newline="\n")
