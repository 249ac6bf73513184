"""`convert --verify`: both ends run on the same texts, each also in the program that its form belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.sources import Kind, Source, read_source, sources_of
from bertsmith.errors import CheckpointError
from bertsmith.inspection.parity import Difference, States, differences, our_states, peer_states, sequences_of
from bertsmith.jobs.convert_settings import ConvertSettings
from bertsmith.messages import Phrase
from bertsmith.messages.names import PARTS, named
from bertsmith.progress import Advance, Listener, Stage

PEER_OF = {Kind.HUGGINGFACE: "transformers", Kind.TRANSFORMERS_H5: "transformers", Kind.KERAS: "keras-hub"}
_TOLERANCE = 1e-4  # of logits in fp32 over twelve layers, where two programs add in different orders


@dataclass(frozen=True)
class Verified:
    """What running both ends showed."""

    numbers: dict[str, list[dict[str, Any]]]
    told: tuple[Phrase, ...]


@dataclass(frozen=True)
class _Run:
    """One end in one program, and what it must be equal to."""

    name: str
    states: States | None
    reference: States


def verified(source: Source, settings: ConvertSettings, checkpoint: Checkpoint, listen: Listener) -> Verified:
    """Run the source as it was read, the result as it is read again, and either in its own program where that is installed.

    Raises:
        CheckpointError: they differ.
        MachineError: a program failed.
    """
    sequences = sequences_of(checkpoint)
    listen(Stage("comparing", 1))
    reference = our_states(checkpoint, sequences)
    again = read_source(sources_of(settings.target)[0], gelu=settings.gelu, vocab_size=settings.vocab_size)
    runs = [_Run("bertsmith", our_states(again, sequences), reference)]
    for kind, folder in ((source.kind, source.folder), (Kind(settings.to), settings.target)):
        # what keras-hub opens names classes that it builds, so that it gets our own result only
        if kind not in PEER_OF or (kind is Kind.KERAS and folder != settings.target):
            continue
        states = peer_states(PEER_OF[kind], folder, sequences, settings.peer_python)
        if kind is Kind.KERAS and checkpoint.config.hidden_act != "gelu_tanh":
            # keras-hub computes gelu with tanh whatever was trained, so that the same network with tanh is its equal
            tanh = replace(checkpoint, config=checkpoint.config.replace(hidden_act="gelu_tanh"))
            runs.append(_Run(f"{PEER_OF[kind]} (gelu_tanh): {folder}", states, our_states(tanh, sequences)))
        else:
            runs.append(_Run(f"{PEER_OF[kind]}: {folder}", states, reference))
    listen(Advance(1))
    found = _told(runs, settings)
    return replace(found, told=(*found.told, *_uncompared(checkpoint.parts)))


def _uncompared(parts: frozenset[Part]) -> list[Phrase]:
    """The heads that are written and not run: neither questions nor labels of tokens are among the texts."""
    heads = [Part.QA] if Part.QA in parts else []
    heads += [Part.CLASSIFIER] if Part.CLASSIFIER in parts and Part.POOLER not in parts else []
    names = [named(PARTS, head) for head in heads]
    return [
        Phrase(f"{name.en}: its weights are the same, its output was not compared", f"{name.zh}：权重相同，输出未比较")
        for name in names
    ]


def _told(runs: Sequence[_Run], settings: ConvertSettings) -> Verified:
    numbers: dict[str, list[dict[str, Any]]] = {}
    told = [Phrase("", "")]
    for run in runs:
        if run.states is None:
            told.append(Phrase(f"{run.name}: not installed, not compared", f"{run.name}：未安装，未比较"))
            continue
        found = differences(run.reference, run.states)
        # what is no number is not small
        worst = next((one for one in found if not _relative(one) <= _TOLERANCE), None)
        if worst is not None:
            raise CheckpointError(
                "conversion-differs",
                "{run} gives other numbers at {layer}: they differ by {largest} where the largest is {scale}",
                where=settings.target,
                do="do not use the result; check that the config belongs to the weights, and --gelu",
                run=run.name,
                layer=worst.name,
                largest=f"{worst.largest:.3g}",
                scale=f"{worst.scale:.3g}",
            )
        numbers[run.name] = [{"name": one.name, "largest": one.largest, "scale": one.scale} for one in found]
        told += _lines(run.name, found)
    return Verified(numbers, tuple(told))


def _relative(one: Difference) -> float:
    return one.largest / one.scale if one.scale > 1.0 else one.largest


def _lines(name: str, found: Sequence[Difference]) -> list[Phrase]:
    head = Phrase(
        f"{name}: largest difference from the source, and the largest number there",
        f"{name}：与来源的最大差异，以及该处最大的数值",
    )
    rows = [f"  {one.name:16} {one.largest:.1e}  {one.scale:.3g}" for one in found]
    return [head, *(Phrase(row, row) for row in rows)]
