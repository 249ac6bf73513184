"""The graph of objects in a TensorFlow 2 checkpoint: which variable stands under which key, and how the objects lead to it.

A checkpoint of `tf.train.Checkpoint` keeps the graph as a text tensor of its own. Each node is an object: its children by attribute name, the
values that are stored for it, and, for an optimizer, which node is the slot of which variable. TensorFlow restores by walking the graph from
the root beside the objects of the program. Source: tensorflow/core/protobuf/trackable_object_graph.proto, tensorflow/python/checkpoint/graph_view.py.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bertsmith.checkpoints.protobuf import Malformed, bytes_field, messages, number_field, numbers, read_fields
from bertsmith.errors import CheckpointError

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"
_MOST_STEPS = 100  # from the root to a variable; a BERT's take under 10, and without a bound a chain of objects takes memory of its square
ObjectPath = tuple[str, ...]


@dataclass(frozen=True)
class StoredVariable:
    """A variable in the graph."""

    full_name: str  # as the program named it
    path: ObjectPath  # attribute names that lead to it from the root by the shortest way; () for a slot, to which none leads


class StoredValue(NamedTuple):
    """What the graph says of a value: the name of its variable, and the key of its tensor."""

    full_name: str
    key: str


@dataclass(frozen=True)
class Slot:
    """An optimizer's companion of a variable."""

    name: str  # m or v
    variable: str  # key
    key: str


@dataclass(frozen=True)
class ObjectGraph:
    """What the graph says, by the keys under which the tensors are stored."""

    variables: dict[str, StoredVariable]
    slots: tuple[Slot, ...]


@dataclass
class _Node:
    children: list[tuple[int, str]]
    values: list[StoredValue] = field(default_factory=list)
    slots: list[tuple[int, str, int]] = field(default_factory=list)  # variable, name, slot


def parse_graph(content: bytes, file: Path) -> ObjectGraph:
    """Read a graph.

    Args:
        content: the tensor `_CHECKPOINTABLE_OBJECT_GRAPH`.
        file: where it stands, for the message.

    Raises:
        CheckpointError: it is no graph.
    """
    try:
        nodes = [_node(node) for node in messages(list(read_fields(content)), 1)]
        paths = _paths(nodes)
        slots = tuple(
            Slot(name, _key(nodes, original), _key(nodes, slot)) for node in nodes for original, name, slot in node.slots
        )
    except ValueError as error:
        raise CheckpointError(
            "tensorflow-damaged-graph",
            "the graph of objects in the checkpoint cannot be read",
            where=file,
            do="save the checkpoint again with tf.train.Checkpoint",
        ) from error
    variables = {
        key: StoredVariable(name, paths.get(number, ())) for number, node in enumerate(nodes) for name, key in node.values
    }
    return ObjectGraph(variables, slots)


def _node(content: bytes) -> _Node:
    fields = list(read_fields(content))
    node = _Node([(_number(child, 1), _text(child, 2)) for child in map(list, map(read_fields, messages(fields, 1)))])
    for value in map(list, map(read_fields, messages(fields, 2))):
        if _text(value, 1) == _VALUE:
            node.values.append(StoredValue(_text(value, 2), _text(value, 3)))
    for slot in map(list, map(read_fields, messages(fields, 3))):
        node.slots.append((_number(slot, 1), _text(slot, 2), _number(slot, 3)))
    return node


def _number(fields: list[tuple[int, int | bytes]], number: int) -> int:
    return (numbers(fields, number) or [0])[-1]


def _text(fields: list[tuple[int, int | bytes]], number: int) -> str:
    return (messages(fields, number) or [b""])[-1].decode()


def _at(nodes: list[_Node], number: int) -> _Node:
    if not 0 <= number < len(nodes):
        raise Malformed
    return nodes[number]


def _key(nodes: list[_Node], number: int) -> str:
    """The key of a node's value, "" where it has none."""
    values = _at(nodes, number).values
    return values[0].key if values else ""


def _paths(nodes: list[_Node]) -> dict[int, ObjectPath]:
    """The shortest way from the root to each node that can be reached."""
    paths: dict[int, ObjectPath] = {0: ()} if nodes else {}
    waiting = deque(paths)
    while waiting:
        number = waiting.popleft()
        if len(paths[number]) > _MOST_STEPS:
            raise Malformed
        for child, name in nodes[number].children:
            if child not in paths:
                _at(nodes, child)
                paths[child] = (*paths[number], name)
                waiting.append(child)
    return paths


def value_key(path: ObjectPath) -> str:
    """The key of the variable at a path."""
    return f"{_joined(path)}/.ATTRIBUTES/{_VALUE}"


def slot_key(path: ObjectPath, optimizer: ObjectPath, slot: str) -> str:
    """The key of an optimizer's slot of the variable at a path."""
    return f"{_joined(path)}/.OPTIMIZER_SLOT/{_joined(optimizer)}/{slot}/.ATTRIBUTES/{_VALUE}"


def _joined(path: ObjectPath) -> str:
    return "/".join(name.replace(".", "..").replace("/", ".S") for name in path)


def graph_of(
    variables: Mapping[ObjectPath, StoredValue],
    also: Mapping[ObjectPath, ObjectPath] | None = None,
    optimizer: ObjectPath = (),
    slots: Iterable[tuple[ObjectPath, str, StoredValue]] = (),
) -> bytes:
    """The graph of a tree of objects, for `write_bundle` to store under `GRAPH`.

    Args:
        variables: the value at each path. What is two objects in the program must be two here, each with a tensor of its own.
        also: other paths that lead to an object of the tree.
        optimizer: path of the optimizer; it must have a variable of its own.
        slots: path of a variable, name of the slot, its value.
    """
    paths: dict[ObjectPath, int] = {(): 0}
    nodes: list[list[bytes]] = [[]]
    for path, value in variables.items():
        number = _reach(path, paths, nodes)
        nodes[number].append(_value(value))
    for path, target in (also or {}).items():
        nodes[_reach(path[:-1], paths, nodes)].append(_child(paths[target], path[-1]))
        paths[path] = paths[target]
    for path, slot, value in slots:
        nodes.append([_value(value)])
        fields = number_field(1, paths[path]) + bytes_field(2, slot.encode()) + number_field(3, len(nodes) - 1)
        nodes[paths[optimizer]].append(bytes_field(3, fields))
    has_values = bytes_field(5, number_field(1, 1))
    return b"".join(bytes_field(1, b"".join(fields) + has_values) for fields in nodes)


def _reach(path: ObjectPath, paths: dict[ObjectPath, int], nodes: list[list[bytes]]) -> int:
    """The node at a path, made with those before it where it is new."""
    if path not in paths:
        parent = _reach(path[:-1], paths, nodes)
        paths[path] = len(nodes)
        nodes.append([])
        nodes[parent].append(_child(paths[path], path[-1]))
    return paths[path]


def _child(number: int, name: str) -> bytes:
    return bytes_field(1, number_field(1, number) + bytes_field(2, name.encode()))


def _value(value: StoredValue) -> bytes:
    content = bytes_field(2, value.full_name.encode()) + bytes_field(3, value.key.encode())
    return bytes_field(2, bytes_field(1, _VALUE.encode()) + content)
