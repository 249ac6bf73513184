"""The names and shapes of a BERT's arrays: those of transformers' `BertForPreTraining`, and what other writers call them.

Legend of the shapes: D width, F feed-forward width, V vocabulary, C classes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from bertsmith.config.bert import BertConfig
from bertsmith.errors import CheckpointError

Shape = tuple[int, ...]

TABLE = "bert.embeddings.word_embeddings.weight"
MLM_BIAS = "cls.predictions.bias"
# the MLM head's own copies of the word table and of its bias; tied in a BERT, so they are never kept
DECODER, DECODER_BIAS = "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"

_BUFFERS = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")  # counted up by old transformers, not learned
_BARE = ("embeddings.", "encoder.", "pooler.")  # how names begin in a file of `BertModel` alone
_LAYER = re.compile(r"\.layer\.(\d+)\.")
_SHOWN = 4  # names told in one message; the rest is counted


class Part(StrEnum):
    """A part of the network that a file holds whole or not at all; every file holds the encoder."""

    ENCODER = "encoder"
    POOLER = "pooler"
    MLM = "masked-LM head"
    NSP = "next-sentence head"
    CLASSIFIER = "classification head"
    QA = "question-answering head"


_PREFIXES = {
    "bert.embeddings.": Part.ENCODER,
    "bert.encoder.": Part.ENCODER,
    "bert.pooler.": Part.POOLER,
    "cls.predictions.": Part.MLM,
    "cls.seq_relationship.": Part.NSP,
    "classifier.": Part.CLASSIFIER,
    "qa_outputs.": Part.QA,
}


def our_name(name: str) -> str | None:
    """The name in `BertForPreTraining` of an array that a file calls `name`; None for what is not learned.

    Adds `bert.` to the names of a lone `BertModel`; TensorFlow's `gamma` and `beta` become `weight` and `bias`; the `module.` of a
    network that was saved inside `DataParallel` goes.
    """
    name = name.removeprefix("module.")
    if name.startswith(_BARE):
        name = f"bert.{name}"
    parent, _, leaf = name.rpartition(".")
    if parent.endswith("LayerNorm"):
        name = f"{parent}.{ {'gamma': 'weight', 'beta': 'bias'}.get(leaf, leaf) }"
    return None if name in _BUFFERS else name


def parts_in(names: Iterable[str]) -> frozenset[Part]:
    """The parts that some of the names belong to."""
    return frozenset(part for name in names for prefix, part in _PREFIXES.items() if name.startswith(prefix))


def shapes(config: BertConfig, part: Part, classes: int = 2) -> dict[str, Shape]:
    """Name and shape of every array of a part, in torch's orientation (rows are outputs).

    Args:
        config: the sizes.
        part: which part.
        classes: C, rows of the classification head.
    """
    D, V = config.hidden_size, config.vocab_size
    if part is Part.ENCODER:
        layers: dict[str, Shape] = {}
        for number in range(config.num_hidden_layers):
            layers |= _layer(config, f"bert.encoder.layer.{number}")
        return _embeddings(config) | layers
    if part is Part.POOLER:
        return _dense("bert.pooler.dense", D, D)
    if part is Part.MLM:
        head = "cls.predictions.transform"
        return _dense(f"{head}.dense", D, D) | _norm(f"{head}.LayerNorm", D) | {MLM_BIAS: (V,)}
    if part is Part.NSP:
        return _dense("cls.seq_relationship", 2, D)
    return _dense("qa_outputs", 2, D) if part is Part.QA else _dense("classifier", classes, D)


def _embeddings(config: BertConfig) -> dict[str, Shape]:
    D, prefix = config.hidden_size, "bert.embeddings"
    return {
        TABLE: (config.vocab_size, D),
        f"{prefix}.position_embeddings.weight": (config.max_position_embeddings, D),
        f"{prefix}.token_type_embeddings.weight": (config.type_vocab_size, D),
    } | _norm(f"{prefix}.LayerNorm", D)


def _layer(config: BertConfig, prefix: str) -> dict[str, Shape]:
    D, F = config.hidden_size, config.intermediate_size
    return (
        _dense(f"{prefix}.attention.self.query", D, D)
        | _dense(f"{prefix}.attention.self.key", D, D)
        | _dense(f"{prefix}.attention.self.value", D, D)
        | _dense(f"{prefix}.attention.output.dense", D, D)
        | _norm(f"{prefix}.attention.output.LayerNorm", D)
        | _dense(f"{prefix}.intermediate.dense", F, D)
        | _dense(f"{prefix}.output.dense", D, F)
        | _norm(f"{prefix}.output.LayerNorm", D)
    )


def _dense(prefix: str, outputs: int, inputs: int) -> dict[str, Shape]:
    return {f"{prefix}.weight": (outputs, inputs), f"{prefix}.bias": (outputs,)}


def _norm(prefix: str, width: int) -> dict[str, Shape]:
    return {f"{prefix}.weight": (width,), f"{prefix}.bias": (width,)}


def check_shapes(config: BertConfig, found: Mapping[str, Shape], where: object) -> None:
    """Compare the arrays of a file with what the config asks for; parts other than the encoder may be absent as a whole.

    Raises:
        CheckpointError: missing, unexpected and wrongly shaped arrays, all at once.
    """
    wanted: dict[str, Shape] = {}
    rows = found.get("classifier.weight", ()) or found.get("classifier.bias", ())
    classes = max(rows[0], 1) if rows else 2  # a head that chooses among no classes has a wrong shape, too
    for part in Part:
        if part is Part.ENCODER or part in parts_in(found):
            wanted |= shapes(config, part, classes)
    faults = [
        _missing([name for name in wanted if name not in found], where),
        _unexpected([name for name in found if name not in wanted], where),
        _misshapen({name: (found[name], shape) for name, shape in wanted.items() if found.get(name, shape) != shape}, where),
    ]
    told = [fault for fault in faults if fault is not None]
    if told:
        raise CheckpointError.all_of(told)


def _missing(names: list[str], where: object) -> CheckpointError | None:
    if not names:
        return None
    return CheckpointError(
        "missing-arrays",
        "{count} arrays are missing: {names}",
        where=where,
        do="save the whole model again, or correct the sizes in its config.json",
        count=len(names),
        names=compact(names),
    )


def _unexpected(names: list[str], where: object) -> CheckpointError | None:
    if not names:
        return None
    return CheckpointError(
        "unexpected-arrays",
        "{count} arrays belong to no BERT of these sizes: {names}",
        where=where,
        do="check that this is a BERT of the original kind, and that the sizes in config.json are its own",
        count=len(names),
        names=compact(names),
    )


def _misshapen(pairs: Mapping[str, tuple[Shape, Shape]], where: object) -> CheckpointError | None:
    if not pairs:
        return None
    told = [f"{name} {_times(found)} ({_times(wanted)})" for name, (found, wanted) in pairs.items()]
    return CheckpointError(
        "wrong-shapes",
        "{count} arrays have other shapes than config.json asks for (in brackets): {names}",
        where=where,
        do="correct the sizes in config.json, or take the config.json that belongs to these weights",
        count=len(told),
        names=compact(told),
    )


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "()"


def compact(names: Sequence[str]) -> str:
    """Every name; those that differ in the number of the layer alone are told as one: `bert.encoder.layer.2–11.output.dense.bias`."""
    numbers: dict[str, list[int]] = {}
    for name in names:
        found = _LAYER.search(name)
        numbers.setdefault(_LAYER.sub(".layer.{}.", name, count=1), []).extend([int(found[1])] if found else [])
    return ", ".join(name.format(_ranges(found)) if found else name for name, found in numbers.items())


def _ranges(numbers: Iterable[int]) -> str:
    """`0, 2–5`"""
    ends: list[list[int]] = []
    for number in sorted(numbers):
        if ends and number == ends[-1][1] + 1:
            ends[-1][1] = number
        else:
            ends.append([number, number])
    return "+".join(str(first) if first == last else f"{first}–{last}" for first, last in ends)


def shown(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" … (+{len(names) - _SHOWN})" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
