"""Muon: momentum whose matrices are made orthogonal (Jordan et al. 2024), for the encoder's layers; AdamW for everything else.

torch has the rule as `torch.optim.Muon`, one matrix at a time and always in bf16. Here all matrices of one shape lie side by side in a
flat row and are orthogonalised as one batch of products, queries, keys and values each by itself, and in fp32 where the device has no
fast bf16.
"""

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bertsmith.models.bert.load import decays
from bertsmith.training.flat_rows import FlatRows
from bertsmith.training.optimizer import Flavour, FusedAdamW, fused_parts

MOMENTUM = 0.95  # Jordan et al. 2024
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, and how often: Jordan et al. 2024
ITERATIONS = 5
# Liu et al. 2025 (Muon is scalable for LLM training), section 2.2: updates as large as AdamW's, so that one learning rate serves both
RATE_OF_ADAMW = 0.2
_LEAST_NORM = 1e-7
_OF_A_LAYER = re.compile(r"\blayers\.\d+\..*weight$")


@dataclass(frozen=True)
class _Block:
    """`count` matrices of one shape, side by side in the row."""

    first: int
    count: int
    rows: int
    columns: int

    def of(self, row: Tensor) -> Tensor:
        """The matrices in a row: (count, rows, columns)."""
        size = self.count * self.rows * self.columns
        return row[self.first : self.first + size].view(self.count, self.rows, self.columns)


class Muon:
    """Muon over the matrices of the layers, AdamW with bias correction over tables, heads, biases and norms.

    Args:
        model: its parameters become views of the flat rows, and so do their gradients.
        weight_decay: decoupled decay, times the learning rate, on what `decays`.
    """

    def __init__(self, model: nn.Module, weight_decay: float) -> None:
        named = dict(model.named_parameters())
        matrices = {name: named[name] for name in sorted(named, key=lambda name: _shape(name, named[name])) if _is_muons(name)}
        others = {name: parameter for name, parameter in named.items() if name not in matrices}
        self.rows = FlatRows(
            [
                matrices,
                {name: parameter for name, parameter in others.items() if decays(name)},
                {name: parameter for name, parameter in others.items() if not decays(name)},
            ]
        )
        self._weight_decay = weight_decay
        self._blocks = _blocks([(_shape(name, parameter), fused_parts(name)) for name, parameter in matrices.items()])
        self._momentum = torch.zeros_like(self.rows.flats[0])
        self._rest = FusedAdamW(self.rows.flats[1:], (weight_decay, 0.0), Flavour.CORRECTED)

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""
        flat, gradient = self.rows.flats[0], self.rows.gradients[0]
        with torch.no_grad():
            self._momentum.lerp_(gradient, 1 - MOMENTUM)
            looked_ahead = gradient.lerp(self._momentum, MOMENTUM)
            flat.mul_(1 - rate * self._weight_decay)
            for block in self._blocks:
                size = RATE_OF_ADAMW * math.sqrt(max(block.rows, block.columns))
                block.of(flat).add_(orthogonal(block.of(looked_ahead)), alpha=-rate * size)
        self._rest.step(rate)

    def slots(self) -> dict[str, Tensor]:
        """The momentum, and the slots of AdamW."""
        return {"momentum.0": self._momentum} | self._rest.slots(1)


def orthogonal(matrices_nRC: Tensor) -> Tensor:
    """The nearest matrices with singular values near 1 (0.7 to 1.2), by five Newton-Schulz steps: (n, R, C) → (n, R, C)."""
    a, b, c = COEFFICIENTS
    wide = matrices_nRC.shape[1] <= matrices_nRC.shape[2]
    x = matrices_nRC if wide else matrices_nRC.mT
    x = x.to(torch.bfloat16) if x.is_cuda else x
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=_LEAST_NORM)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x if wide else x.mT).to(matrices_nRC.dtype)


def _is_muons(name: str) -> bool:
    return decays(name) and _OF_A_LAYER.search(name) is not None


def _shape(name: str, parameter: nn.Parameter) -> tuple[int, ...]:
    """The shape of the matrices in a parameter."""
    return (parameter.shape[0] // fused_parts(name), *parameter.shape[1:])


def _blocks(shapes: list[tuple[tuple[int, ...], int]]) -> list[_Block]:
    """The stretches of equal shape, from the shape of each parameter's matrices and their number."""
    blocks: list[_Block] = []
    first = 0
    for (rows, columns), count in shapes:
        if blocks and (blocks[-1].rows, blocks[-1].columns) == (rows, columns):
            blocks[-1] = _Block(blocks[-1].first, blocks[-1].count + count, rows, columns)
        else:
            blocks.append(_Block(first, count, rows, columns))
        first += count * rows * columns
    return blocks
