"""Initial weights: a truncated normal, as in google-research/bert, as a pure function of the seed.

Weights are drawn from N(0, sd²) cut at two standard deviations (so their real deviation is 0.88·sd); biases are 0, norms 1.
"""

import torch
from torch import nn

from bertsmith.seeds import bits


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
