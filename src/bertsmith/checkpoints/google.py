"""Checkpoints of TensorFlow 1 and 2 ↔ named arrays, without TensorFlow: Google's releases, and what their users trained."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.bundle import Bundle, read_index
from bertsmith.checkpoints.bundle_writer import write_bundle
from bertsmith.checkpoints.names import Shape, shown
from bertsmith.checkpoints.object_graph import (
    GRAPH,
    ObjectGraph,
    ObjectPath,
    StoredValue,
    graph_of,
    parse_graph,
    slot_key,
    value_key,
)
from bertsmith.checkpoints.sorted_table import is_table
from bertsmith.checkpoints.tensorflow_content import COUNTER, STEP, Content, Tensor, content_of
from bertsmith.checkpoints.tensorflow_names import (
    HEAD_POOLER,
    HEAD_POOLER_ALSO,
    POOLER,
    Form,
    Place,
    fits,
    places,
    to_ours,
    to_theirs,
)
from bertsmith.checkpoints.weights import Arrays, in_fp32
from bertsmith.errors import CheckpointError

Named = Mapping[str, NDArray[np.float32]]
_FLOATS = ("float32", "float16", "bfloat16", "float64")
_STATE = "checkpoint"  # the file in which TensorFlow keeps which checkpoint of a folder is the newest
_TF1_SLOTS = {"m": "adam_m", "v": "adam_v"}  # google-research/bert, optimization.py
_OPTIMIZER: ObjectPath = ("optimizer",)
_ITERATIONS: ObjectPath = (*_OPTIMIZER, "iter")  # as optimizers of Keras up to 2.10, and the model garden's, call it
_CUT = (Form.SPLIT, Form.SPLIT_BIAS, Form.JOINED)  # forms with an axis for the heads
_LAYER = re.compile(r"bert\.encoder\.layer\.(\d{1,4})\.")


class Layout(StrEnum):
    """How a checkpoint names its tensors: by names alone, as TensorFlow 1 did, or by a graph of objects."""

    TF1 = "tf1"
    TF2 = "tf2"


@dataclass(frozen=True)
class TensorFlowCheckpoint:
    """What a checkpoint of TensorFlow holds of a BERT.

    Args:
        arrays: by our names, in our orientation.
        slots: Adam's means by slot (`m`, `v`) and by our names; empty where there are none.
        step: how often the optimizer has stepped, None where it is not told.
        kind: how its tensors are named.
        left_over: names in the file that belong to no part of a BERT that we know.
    """

    arrays: Arrays
    slots: dict[str, Arrays]
    step: int | None
    kind: Layout
    left_over: tuple[str, ...]


def find_prefixes(folder: Path) -> list[Path]:
    """The checkpoints of a folder, each as the path without `.index`.

    The one that the file `checkpoint` names as the newest comes first, then the others, the highest step first.
    """
    found = [file.with_suffix("") for file in folder.glob("*.index") if file.is_file() and is_table(file)]
    newest = _newest(folder / _STATE)
    return sorted(found, key=lambda prefix: (prefix.name != newest, -_step_in(prefix.name), prefix.name))


def _newest(state: Path) -> str | None:
    """The last part of the path that the file names; the rest was true where it was written."""
    try:
        text = state.read_text(encoding="utf-8") if state.is_file() else ""
    except (OSError, ValueError):
        return None
    match = re.search(r'^model_checkpoint_path: *"(.*)"', text, re.MULTILINE)
    return re.split(r"[/\\]", match[1])[-1] if match else None


def _step_in(name: str) -> int:
    match = re.search(r"-(\d{1,18})$", name)
    return int(match[1]) if match else -1


def listed(prefix: Path) -> dict[str, Shape]:
    """Names and shapes of everything in a checkpoint, from its index alone.

    Raises:
        CheckpointError: as `bundle.read_index`.
    """
    return {name: entry.shape for name, entry in read_index(prefix).entries.items()}


def read_tensorflow(prefix: Path) -> TensorFlowCheckpoint:
    """Read a checkpoint of TensorFlow 1 or 2: Google's names, or the model garden's, by full name or by attributes.

    Args:
        prefix: the path without `.index`.

    Raises:
        CheckpointError: the files are damaged or incomplete (as `Bundle.open` and `Bundle.read`), or hold no BERT, or arrays of a
            shape or type that no BERT has.
    """
    bundle = Bundle.open(prefix)
    graph = _graph(bundle)
    content = content_of(bundle.entries, graph)
    _check(bundle, content)
    slots: dict[str, Arrays] = {}
    for (slot, ours), tensor in content.slots.items():
        slots.setdefault(slot, {})[ours] = _read(bundle, tensor)
    arrays = {ours: _read(bundle, tensor) for ours, tensor in content.arrays.items()}
    step = int(bundle.read(content.steps[0])) if content.steps else None
    return TensorFlowCheckpoint(arrays, slots, step, Layout.TF2 if graph else Layout.TF1, tuple(content.left_over))


def _graph(bundle: Bundle) -> ObjectGraph | None:
    if GRAPH not in bundle.entries:
        return None
    texts = bundle.read(GRAPH).reshape(-1)
    return parse_graph(texts[0] if len(texts) and isinstance(texts[0], bytes) else b"", bundle.index.file)


def _read(bundle: Bundle, tensor: Tensor) -> NDArray[np.float32]:
    return in_fp32(to_ours(bundle.read(tensor.key), tensor.form), copy=True)


def _check(bundle: Bundle, content: Content) -> None:
    """Shapes and types, before a weight is read; whether the sizes are those of the config is checked where both are known."""
    entries = bundle.entries
    if not content.arrays:
        raise CheckpointError(
            "tensorflow-no-bert",
            "none of the {count} tensors has the name of a part of BERT: {names}",
            where=bundle.index.file,
            do="give a checkpoint with the names of google-research/bert (bert/embeddings/…) or of TensorFlow's model garden",
            count=len(entries),
            names=shown(sorted(entries)),
        )
    faults = [fault for fault in (_other_types(bundle, content), _odd_shapes(bundle, content)) if fault]
    if faults:
        raise CheckpointError.all_of(faults)


def _other_types(bundle: Bundle, content: Content) -> CheckpointError | None:
    kinds = {bundle.entries[tensor.key].type for tensor in (*content.arrays.values(), *content.slots.values())} - {*_FLOATS}
    if not kinds:
        return None
    return CheckpointError(
        "not-floats",
        "the weights are stored as {kind}",
        where=bundle.index.file,
        do="save the model in fp32, fp16 or bf16; quantized weights cannot be trained on",
        kind=", ".join(sorted(kinds)),
    )


def _odd_shapes(bundle: Bundle, content: Content) -> CheckpointError | None:
    shapes = {name: entry.shape for name, entry in bundle.entries.items()}
    odd = [tensor.key for tensor in content.arrays.values() if not fits(tensor.form, shapes[tensor.key])]
    for (_, ours), tensor in content.slots.items():
        owner = content.arrays.get(ours)
        if owner is None or shapes[owner.key] != shapes[tensor.key]:
            odd.append(tensor.key)
    if not odd:
        return None
    return CheckpointError(
        "tensorflow-odd-shapes",
        "{count} arrays have a number of axes that they have in no BERT, or are slots of another shape than their variable: {names}",
        where=bundle.index.file,
        do="check that this is a BERT of the original kind",
        count=len(odd),
        names=shown([f"{key} {shapes[key]}" for key in odd]),
    )


def write_tensorflow(
    prefix: Path,
    arrays: Named,
    *,
    heads: int,
    slots: Mapping[str, Named] | None = None,
    step: int | None = None,
    kind: Layout = Layout.TF1,
) -> None:
    """Write a checkpoint that TensorFlow restores, an array at a time.

    Args:
        prefix: the path without `.index`.
        arrays: by our names; any parts of a BERT.
        heads: N, for the axis that attention has in TensorFlow 2.
        slots: Adam's means by slot (`m`, `v`) and by our names.
        step: how often the optimizer has stepped.
        kind: TF1 for the names of google-research/bert; TF2 for the objects of TensorFlow's model garden: restore it with
            `tf.train.Checkpoint(encoder=…, masked_lm=…, next_sentence=…, sentence_prediction=…, optimizer=…)`, as far as there are such.

    Raises:
        CheckpointError: an array has no name there, or attention cannot be cut into so many heads.
        MachineError: the disk is full or the place may not be written; an older checkpoint is as it was before.
    """
    known = {place.ours: place for place in places(sorted({int(n) for name in arrays for n in _LAYER.findall(name)}))}
    _check_writable(prefix, arrays, slots or {}, known, heads)
    chosen = [known[name] for name in arrays]
    if kind == Layout.TF1:
        write_bundle(prefix, _tf1(chosen, arrays, slots or {}, step))
    else:
        write_bundle(prefix, _tf2(chosen, arrays, heads, slots or {}, step))


def _check_writable(
    prefix: Path,
    arrays: Named,
    slots: Mapping[str, Named],
    known: Mapping[str, Place],
    heads: int,
) -> None:
    nameless = [name for name in arrays if name not in known]
    nameless += [
        f"{slot} {name}" for slot, means in slots.items() for name in means if slot not in _TF1_SLOTS or name not in arrays
    ]
    if nameless:
        raise CheckpointError(
            "tensorflow-no-name",
            "{count} arrays have no name in a checkpoint of TensorFlow: {names}",
            where=prefix,
            do="leave them out; the tied decoder of the masked-LM head is the word table, and is never stored",
            count=len(nameless),
            names=shown(nameless),
        )
    uneven = [name for name in arrays if known[name].tf2_form in _CUT and arrays[name].size % heads]
    if uneven:
        raise CheckpointError(
            "tensorflow-uneven-heads",
            "{names} cannot be cut into {heads} heads",
            where=prefix,
            do="give the number of heads that the model has",
            names=shown(uneven),
            heads=heads,
        )


def _tf1(
    chosen: list[Place],
    arrays: Named,
    slots: Mapping[str, Named],
    step: int | None,
) -> dict[str, NDArray[Any]]:
    """Google's names; transposed arrays are views."""
    tensors: dict[str, NDArray[Any]] = {}
    for place in chosen:
        tensors[place.tf1] = to_theirs(arrays[place.ours], place.tf1_form, 1)
        for slot, means in slots.items():
            if place.ours in means:
                tensors[f"{place.tf1}/{_TF1_SLOTS[slot]}"] = to_theirs(means[place.ours], place.tf1_form, 1)
    return tensors if step is None else tensors | {STEP: np.array(step, np.int64)}


def _tf2(
    chosen: list[Place],
    arrays: Named,
    heads: int,
    slots: Mapping[str, Named],
    step: int | None,
) -> dict[str, NDArray[Any] | bytes]:
    """The model garden's objects, their graph, and an optimizer that owns the slots."""
    tensors: dict[str, NDArray[Any] | bytes] = {value_key((COUNTER,)): np.array(1, np.int64)}
    variables: dict[ObjectPath, StoredValue] = {(COUNTER,): StoredValue(COUNTER, value_key((COUNTER,)))}
    slot_variables: list[tuple[ObjectPath, str, StoredValue]] = []
    for place in chosen:
        for path, name in zip(_paths(place), place.tf2):
            variables[path] = StoredValue(name, value_key(path))
            tensors[value_key(path)] = to_theirs(arrays[place.ours], place.tf2_form, heads)
            for slot in (slot for slot, means in slots.items() if place.ours in means):
                value = StoredValue(f"Adam/{name}/{slot}", slot_key(path, _OPTIMIZER, slot))
                slot_variables.append((path, slot, value))
                tensors[value.key] = to_theirs(slots[slot][place.ours], place.tf2_form, heads)
    if slot_variables or step is not None:
        variables[_ITERATIONS] = StoredValue("Adam/iter", value_key(_ITERATIONS))
        tensors[value_key(_ITERATIONS)] = np.array(step or 0, np.int64)
    also = {HEAD_POOLER_ALSO: HEAD_POOLER} if (*HEAD_POOLER, "kernel") in variables else {}
    tensors[GRAPH] = graph_of(variables, also, _OPTIMIZER, slot_variables)
    return tensors


def _paths(place: Place) -> list[ObjectPath]:
    """Where an array is written: TensorFlow fills only one of two variables that share a tensor, so the second pooler has its own."""
    return [place.path, (*HEAD_POOLER, place.path[-1])] if place.path[:-1] == POOLER else [place.path]
