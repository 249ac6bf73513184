"""From the arrays of a file to those of a BERT: our names, no buffers, tied copies folded, shapes checked before a weight is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.names import (
    DECODER,
    DECODER_BIAS,
    MLM_BIAS,
    TABLE,
    Shape,
    check_shapes,
    our_name,
    shown,
)
from bertsmith.checkpoints.weights import Arrays, equal
from bertsmith.config.bert import BertConfig
from bertsmith.errors import CheckpointError
from bertsmith.progress import Listener, note, warning

_TIES = ((DECODER, TABLE), (DECODER_BIAS, MLM_BIAS))


class Readable(Protocol):
    """An array whose shape is known before it is read."""

    @property
    def shape(self) -> Shape:
        """Its shape."""
        ...

    def read(self) -> NDArray[np.float32]:
        """Its values in fp32."""
        ...


@dataclass(frozen=True)
class InMemory:
    """An array that was read already."""

    values: NDArray[np.float32]

    @property
    def shape(self) -> Shape:
        """Its shape."""
        return self.values.shape

    def read(self) -> NDArray[np.float32]:
        """Itself."""
        return self.values


def assembled(stored: Mapping[str, Readable], config: BertConfig, where: Path, left_out: tuple[str, ...] = ()) -> Arrays:
    """The arrays of a BERT under our names.

    Args:
        stored: the arrays of a file under the names of any age.
        config: the sizes that they must have.
        where: the file or folder, for messages.
        left_out: beginnings of our names that are passed over.

    Raises:
        CheckpointError: two arrays of one name, arrays that do not fit the config, an untied MLM head.
    """
    kept = _kept(stored, where, left_out)
    untied = {ours: kept.pop(ours) for ours, _ in _TIES if ours in kept}
    for copy, ours in _TIES:  # where only the MLM head's copy of a tied array was stored, it is the array
        if copy in untied and ours not in kept:
            kept[ours] = untied[copy]
    check_shapes(config, {name: array.shape for name, array in kept.items()}, where)
    arrays = {name: array.read() for name, array in kept.items()}
    _check_ties(arrays, untied, where)
    return arrays


def _kept(stored: Mapping[str, Readable], where: Path, left_out: tuple[str, ...]) -> dict[str, Readable]:
    kept: dict[str, Readable] = {}
    twice = []
    for name, array in stored.items():
        ours = our_name(name)
        if ours is None or (left_out and ours.startswith(left_out)):
            continue
        if ours in kept:
            twice.append(ours)
        kept[ours] = array
    if twice:
        raise CheckpointError(
            "arrays-twice",
            "{count} arrays are stored under two names: {names}",
            where=where,
            do="save the model again with transformers' save_pretrained",
            count=len(twice),
            names=shown(twice),
        )
    return kept


def _check_ties(arrays: Mapping[str, NDArray[np.float32]], untied: Mapping[str, Readable], where: Path) -> None:
    for copy, ours in _TIES:
        if copy in untied and not equal(untied[copy].read(), arrays[ours]):
            raise CheckpointError(
                "untied-head",
                "{copy} differs from {ours}; in a BERT the masked-LM head shares the word table",
                where=where,
                do="take a model with tied weights, or remove the arrays that begin with cls.predictions to use the encoder alone",
                copy=copy,
                ours=ours,
            )


def tell_left_out(stored: Mapping[str, Readable], left_out: tuple[str, ...], where: Path, listen: Listener) -> None:
    """Tell which arrays are passed over."""
    names = [name for name in stored if left_out and (our_name(name) or "").startswith(left_out)]
    if names:
        listen(
            note(
                "head-left-out",
                "the head of another task is left out: {names} in {path}",
                names=shown(names),
                path=str(where),
            )
        )


def tell_not_finite(arrays: Mapping[str, NDArray[np.float32]], where: Path, listen: Listener) -> None:
    """Tell which arrays hold what is no number, or is infinite, as what was too large for fp32 is by now.

    A pass over all weights takes a third of the time of reading them (0.1 s for 440 MB), so that only jobs that look at files ask for it.
    """
    names = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if names:
        listen(
            warning(
                "weights-not-finite",
                "{count} arrays in {path} hold numbers that are not finite or too large for fp32, and so will what is computed from them: "
                "{names} → take an earlier checkpoint, from before the training diverged, or copy the file again",
                count=len(names),
                path=str(where),
                names=shown(names),
            )
        )
