"""Two checkpoints, or a checkpoint and another program that runs it, compared on the same texts, layer by layer."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bertsmith.checkpoints.checkpoint import Checkpoint
from bertsmith.checkpoints.names import Part
from bertsmith.data.batches import frame, pack
from bertsmith.errors import MachineError
from bertsmith.inspection import peer_keras_hub, peer_transformers
from bertsmith.machine import bare_environment
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.load import pretraining_model
from bertsmith.models.bert.losses import tied_logits
from bertsmith.models.bert.pack import Pack
from bertsmith.seeds import below
from bertsmith.text.wordpiece import WordPiece

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
TEXTS = (
    ("The kitchen was warm, and nobody wanted to leave.", "She closed the book."),
    ("今天的会议改到下午三点。", "请把报告发给大家。"),
    ("Numbers such as 3.14 and 2,718 are split, too", None),
)
PEERS = {"transformers": peer_transformers, "keras-hub": peer_keras_hub}
_ROUNDS = 16  # ids of a made-up text, where there is no vocabulary


@dataclass(frozen=True)
class States:
    """What a network gave for some sequences.

    Args:
        layers: for each sequence (L + 1, T, D): the embeddings, then every layer.
        heads: name → for each sequence an array, such as `masked_lm` (T, V) and `pooled` (D,).
    """

    layers: tuple[F32, ...]
    heads: Mapping[str, tuple[F32, ...]]


@dataclass(frozen=True)
class Difference:
    """The largest difference of one layer or head, and the largest number that stands there."""

    name: str
    largest: float
    scale: float


def sequences_of(checkpoint: Checkpoint) -> list[tuple[I64, I64]]:
    """Ids and segments of the texts that are compared; made-up ids where the checkpoint has no vocabulary."""
    longest = checkpoint.config.max_position_embeddings
    if checkpoint.vocabulary is None:
        count = min(_ROUNDS, longest)
        made = [below(checkpoint.config.vocab_size, 0, "parity", number) for number in range(count)]
        return [(np.array(made, np.int64), np.zeros(count, np.int64))]
    encoder, vocabulary = WordPiece(checkpoint.vocabulary), checkpoint.vocabulary
    found = []
    for first, second in TEXTS:
        parts = [encoder.encode_one(text).astype(np.int64) for text in (first, second) if text is not None]
        ids, segments = frame(parts[0], parts[1] if len(parts) > 1 else None, vocabulary.first, vocabulary.separator)
        found.append((ids[:longest], segments[:longest]))
    return found


def our_states(checkpoint: Checkpoint, sequences: Sequence[tuple[I64, I64]]) -> States:
    """What bertsmith's network gives."""
    network, _ = pretraining_model(checkpoint.config, checkpoint.arrays)
    network.eval()
    runs = [_run(network, checkpoint, ids, segments) for ids, segments in sequences]
    return States(tuple(layers for layers, _ in runs), {name: tuple(heads[name] for _, heads in runs) for name in runs[0][1]})


def _run(network: BertForPretraining, checkpoint: Checkpoint, ids: I64, segments: I64) -> tuple[F32, dict[str, F32]]:
    """One sequence: the layers, and the heads that the checkpoint has."""
    parts = checkpoint.parts
    seen: list[Tensor] = []
    hooks = [module.register_forward_hook(_Keeper(seen)) for module in (network.bert.embeddings, *network.bert.layers)]
    packed = Pack.of(pack([ids.astype(np.int32)], [segments.astype(np.int32)]))
    with torch.inference_mode():
        hidden_TD = network.bert(packed)
        pooled_BD = network.bert.pool(hidden_TD[packed.firsts_B])
        heads = {"pooled": pooled_BD[0]} if Part.POOLER in parts else {}
        if Part.MLM in parts:
            table_VD, bias_V = network.bert.embeddings.pieces, network.masked_lm.bias
            heads["masked_lm"] = tied_logits(network.masked_lm(hidden_TD), table_VD, bias_V)
        if Part.NSP in parts and Part.POOLER in parts:
            heads["next_sentence"] = network.next_sentence(pooled_BD)[0]
        if Part.CLASSIFIER in parts and Part.POOLER in parts:
            arrays = [torch.from_numpy(checkpoint.arrays[f"classifier.{kind}"]) for kind in ("weight", "bias")]
            heads["logits"] = nn.functional.linear(pooled_BD, *arrays)[0]
    for hook in hooks:
        hook.remove()
    return torch.stack(seen).numpy(), {name: values.numpy() for name, values in heads.items()}


@dataclass(frozen=True)
class _Keeper:
    """A hook that keeps what a module gave."""

    seen: list[Tensor]

    def __call__(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self.seen.append(output)


def peer_states(peer: str, folder: Path, sequences: Sequence[tuple[I64, I64]], python: str = "") -> States | None:
    """What another program gives, run in a process of its own; None where it is not installed.

    Args:
        peer: transformers or keras-hub.
        folder: what it opens.
        sequences: ids and segments.
        python: the interpreter that has it; this one where it is empty.

    Raises:
        MachineError: the program failed.
    """
    program = PEERS[peer]
    with TemporaryDirectory(prefix="bertsmith-") as place:
        texts, out = Path(place) / "texts.npz", Path(place) / "out.npz"
        given = {f"ids_{number}": ids for number, (ids, _) in enumerate(sequences)}
        given |= {f"segments_{number}": segments for number, (_, segments) in enumerate(sequences)}
        np.savez(texts, **given)  # type: ignore[arg-type]
        command = [python or sys.executable, str(program.__file__), str(folder), str(texts), str(out)]
        # the folder is all that it may open: no hub, whatever its files name
        environment = bare_environment() | {"HF_HUB_OFFLINE": "1"}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode == program.NOT_INSTALLED:
            return None
        if run.returncode:
            lines = run.stderr.strip().splitlines()
            raise MachineError(
                "peer-failed",
                "{peer} does not run it: {reason}",
                where=folder,
                do="run it there yourself to see more; without --verify the folder is written all the same",
                peer=peer,
                reason=lines[-1] if lines else f"exit code {run.returncode}",
            )
        return _states(out, len(sequences))


def _states(file: Path, count: int) -> States:
    found = np.load(file)
    names = {name.rpartition("_")[0] for name in found.files} - {"hidden"}
    return States(
        tuple(found[f"hidden_{number}"] for number in range(count)),
        {name: tuple(found[f"{name}_{number}"] for number in range(count)) for name in sorted(names)},
    )


def differences(one: States, other: States) -> list[Difference]:
    """The largest difference of each layer, and of each head that both have."""
    found = []
    for layer in range(len(one.layers[0])):
        pairs = [(a[layer], b[layer]) for a, b in zip(one.layers, other.layers, strict=True)]
        found.append(_difference("embeddings" if layer == 0 else f"layer {layer}", pairs))
    both = [name for name in one.heads if name in other.heads]
    return found + [_difference(name, list(zip(one.heads[name], other.heads[name], strict=True))) for name in both]


def _difference(name: str, pairs: Sequence[tuple[F32, F32]]) -> Difference:
    # numpy's maximum keeps what is no number; Python's may pass over it
    largest = np.max([np.max(np.abs(a.astype(np.float64) - b)) for a, b in pairs])
    return Difference(name, float(largest), float(np.max([np.max(np.abs(a)) for a, _ in pairs])))
