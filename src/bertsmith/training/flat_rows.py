"""The parameters of a network in a few flat rows of numbers, one for each way of being updated.

Weights and gradients of a row lie in one piece each, so that zeroing, the norm, an update, a sum over processes and a training state are
one call for each row, however many tensors there are.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class FlatRows:
    """Flat rows of parameters.

    Args:
        groups: named parameters of each row; they become views of it, and their gradients of its gradient.
    """

    def __init__(self, groups: Sequence[Mapping[str, nn.Parameter]]) -> None:
        self.flats = [_flatten(list(group.values())) for group in groups]
        self.layout = [{name: list(parameter.shape) for name, parameter in group.items()} for group in groups]

    @property
    def gradients(self) -> list[Tensor]:
        """The gradient of each row."""
        return [flat.grad for flat in self.flats if flat.grad is not None]

    def zero(self) -> None:
        """Set every gradient to zero."""
        for gradient in self.gradients:
            gradient.zero_()

    def clip(self, limit: float) -> float:
        """Scale the gradient down to a norm of at most `limit` (0: no limit); the norm before it."""
        norm = float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in self.gradients])))
        if 0 < limit < norm:
            for gradient in self.gradients:
                gradient.mul_(limit / norm)
        return norm


def _flatten(parameters: list[nn.Parameter]) -> nn.Parameter:
    """One row that holds the parameters one after another; they and their gradients become views of it."""
    flat = nn.Parameter(torch.cat([parameter.detach().reshape(-1) for parameter in parameters]))
    flat.grad = torch.zeros_like(flat)
    first = 0
    for parameter in parameters:
        last = first + parameter.numel()
        parameter.data = flat.data[first:last].view(parameter.shape)
        parameter.grad = flat.grad[first:last].view(parameter.shape)
        first = last
    return flat
