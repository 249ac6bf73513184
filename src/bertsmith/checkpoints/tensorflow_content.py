"""Which tensor of a TensorFlow checkpoint is which array of a BERT, which is a slot of its optimizer, and which is neither."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from bertsmith.checkpoints.bundle import Entry
from bertsmith.checkpoints.object_graph import GRAPH, ObjectGraph, StoredVariable
from bertsmith.checkpoints.tensorflow_names import Finder, Form

STEP, COUNTER = "global_step", "save_counter"
SLOTS = ("m", "v")  # Adam's means of the gradients and of their squares
# google-research/bert, optimization.py; tf.compat.v1.train.AdamOptimizer
_TF1_SLOTS = {"adam_m": "m", "adam_v": "v", "Adam": "m", "Adam_1": "v"}
_STEPS = ("iter", "_iterations", "iterations")  # what optimizers of Keras called their step over the years
# Since TensorFlow 2.11 an optimizer keeps its slots in lists of its own, named m/VARIABLE and v/VARIABLE.
_LISTS = {"_variables", "_momentums", "_velocities"}
_IN_LIST = re.compile(r"(?:.*?/)?([mv])/(.+)")
_Key = TypeVar("_Key")


class Tensor(NamedTuple):
    """A tensor that is taken."""

    key: str
    form: Form
    rank: int
    checksum: int


@dataclass
class Content:
    """What a checkpoint holds of a BERT."""

    arrays: dict[str, Tensor] = field(default_factory=dict)  # by our name
    slots: dict[tuple[str, str], Tensor] = field(default_factory=dict)  # by slot and our name
    steps: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)


def content_of(entries: Mapping[str, Entry], graph: ObjectGraph | None) -> Content:
    """Sort the tensors of a file. Of two for the same place the trained one is taken, else the first; the other is left over, unless it
    is the same to the bit.

    Args:
        entries: the tensors.
        graph: of the objects, None in a checkpoint of names alone.
    """
    variables = {name: StoredVariable(name, ()) for name in entries if name != GRAPH}
    owned: dict[str, tuple[str, StoredVariable | None]] = {}
    if graph:
        variables |= {key: variable for key, variable in graph.variables.items() if key in entries}
        owned = {slot.key: (slot.name, variables.get(slot.variable)) for slot in graph.slots}
    content, finder = Content(), Finder(variables.values())
    for key, variable in variables.items():
        if _counts(key, variable, entries[key], content):
            continue
        slot, owner = owned.get(key) or _slot(variable)
        found = finder.find(owner) if owner and slot in ("", *SLOTS) else None
        if found is None:
            content.left_over.append(key)
            continue
        tensor = Tensor(key, found.form, found.rank, entries[key].checksum)
        if slot:
            _keep(content.slots, (slot, found.place.ours), tensor, content)
        else:
            _keep(content.arrays, found.place.ours, tensor, content)
    return content


def _counts(key: str, variable: StoredVariable, entry: Entry, content: Content) -> bool:
    """Whether the variable counts steps or saves."""
    if entry.shape or not entry.type.startswith("int"):
        return False
    last = variable.path[-1] if variable.path else variable.full_name
    if variable.full_name == STEP or last == STEP or (len(variable.path) > 1 and last in _STEPS):
        content.steps.append(key)
        return True
    return last == COUNTER


def _slot(variable: StoredVariable) -> tuple[str, StoredVariable | None]:
    """The slot that the name of a variable tells of, "" for a weight, and the variable that owns it."""
    if _LISTS & set(variable.path):
        match = _IN_LIST.fullmatch(variable.full_name)
        return (match[1], StoredVariable(match[2], ())) if match else ("", None)
    owner, _, last = variable.full_name.rpartition("/")
    if last in _TF1_SLOTS:
        return _TF1_SLOTS[last], StoredVariable(owner, ())
    return "", variable


def _keep(table: dict[_Key, Tensor], key: _Key, tensor: Tensor, content: Content) -> None:
    taken = table.get(key)
    if taken is None:
        table[key] = tensor
        return
    better, worse = (tensor, taken) if tensor.rank > taken.rank else (taken, tensor)
    table[key] = better
    if better.checksum != worse.checksum:
        content.left_over.append(worse.key)
