"""Initial weights as a pure function of the seed: a truncated normal, as in google-research/bert, or heads that look at neighbours.

Weights are drawn from N(0, sd²) cut at two standard deviations (so their real deviation is 0.88·sd); biases are 0, norms 1.
"""

import math

import torch
from torch import Tensor, nn

from bertsmith.models.bert.encoder import Bert, Layer
from bertsmith.seeds import bits

# measured on a short run of a two-layer network, docs/decisions/0004
_AMPLITUDE = 3.0  # of the position sines, in units of the initial deviation: positions outweigh pieces at first
_LONGEST = 10.0  # the longest wave is this many times the shortest: places a few tokens apart are told apart
_SHARPNESS = 1.5  # length of the rows that compare positions: a head's favourite place gets e to the power of about 2 more


def initialize(model: nn.Module, sd: float, seed: int) -> None:
    """Give every parameter its initial value; each parameter has a stream of its own, named after it."""
    norms = {id(p) for module in model.modules() if isinstance(module, nn.LayerNorm) for p in module.parameters()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if id(parameter) in norms:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                generator = torch.Generator().manual_seed(int(bits(seed, f"initial {name}") >> 1))
                nn.init.trunc_normal_(parameter, 0.0, sd, -2 * sd, 2 * sd, generator=generator)


def look_at_neighbours(bert: Bert, sd: float, seed: int) -> None:
    """Let most heads start by leaning towards one near place: -1, +1, -2, +2 … tokens away.

    Positions become sines and cosines; a head compares a random part of them (keys) with the same part turned by its offset (queries).
    A quarter of the heads, one at least, go on looking everywhere, so that the first token sees the whole sequence: next-sentence
    prediction and classifiers read it. The network is a BERT like any other; only its first weights differ, so that a short run need
    not find out what a neighbour is. After Trockman and Kolter 2023 (mimetic initialisation), which starts with heads that look at
    their own place.

    Args:
        bert: the encoder, its other weights already drawn.
        sd: the initial deviation of those weights.
        seed: of the compared parts.
    """
    positions_PD = bert.embeddings.positions
    count, width = positions_PD.shape
    speeds = _LONGEST ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(count)[:, None] * speeds
    waves = torch.stack([angles.sin(), angles.cos()], -1).reshape(count, -1)[:, :width]
    with torch.no_grad():
        positions_PD.copy_(_AMPLITUDE * sd * waves)
        for number, layer in enumerate(bert.layers):
            assert isinstance(layer, Layer)
            qkv_3DD = layer.attention.qkv.weight.view(3, layer.attention.heads, -1, width)
            everywhere = max(1, layer.attention.heads // 4)
            for head in range(max(1, layer.attention.heads - everywhere)):
                offset = (head // 2 + 1) * (1 if head % 2 else -1)
                part_HD = _part(qkv_3DD.shape[2], width, seed, number, head)
                qkv_3DD[0, head] = part_HD @ _turned(speeds, offset, width)
                qkv_3DD[1, head] = part_HD


def _part(rows: int, width: int, seed: int, layer: int, head: int) -> Tensor:
    """Orthogonal rows of length `_SHARPNESS`: (H, D)."""
    generator = torch.Generator().manual_seed(int(bits(seed, "compared part", layer, head) >> 1))
    return torch.linalg.qr(torch.randn(width, rows, generator=generator))[0].T * _SHARPNESS


def _turned(speeds: Tensor, offset: int, width: int) -> Tensor:
    """The matrix that takes the waves of a place to those of the place `offset` tokens on: (D, D)."""
    turned_DD = torch.eye(width)
    for wave, speed in enumerate(speeds.tolist()):
        sine, cosine = 2 * wave, 2 * wave + 1
        if cosine < width:
            c, s = math.cos(speed * offset), math.sin(speed * offset)
            turned_DD[sine, sine] = turned_DD[cosine, cosine] = c
            turned_DD[sine, cosine], turned_DD[cosine, sine] = s, -s
    return turned_DD
