"""AdamW over two flat rows of numbers: everything that decays, and everything that does not.

Weights, gradients and moments of the whole network lie in one piece each, so that a step, the norm and the zeroing are one call.
"""

from enum import StrEnum

import torch
from torch import Tensor, nn

from bertsmith.models.bert.load import decays

BETAS = (0.9, 0.999)  # Devlin 2019, appendix A.2


class Flavour(StrEnum):
    """Which Adam: with bias correction (Kingma and Ba 2015; Loshchilov and Hutter 2019), or google-research/bert's without."""

    CORRECTED = "corrected"
    GOOGLE_2018 = "google-2018"


EPSILON = {Flavour.CORRECTED: 1e-8, Flavour.GOOGLE_2018: 1e-6}
_LONG_AGO = 1e9  # with this step count the correction 1 - βᵗ is exactly 1, which is Google's variant


class AdamW:
    """The parameters of a network in flat fp32 rows, and their optimizer.

    Args:
        model: its parameters become views of the flat rows, and so do their gradients.
        flavour: with or without bias correction.
        weight_decay: decoupled decay, times the learning rate, on what `decays`.
    """

    def __init__(self, model: nn.Module, flavour: Flavour, weight_decay: float) -> None:
        named = dict(model.named_parameters())
        groups = [[name for name in named if decays(name)], [name for name in named if not decays(name)]]
        self.flats = [_flatten([named[name] for name in group]) for group in groups]
        self.layout = [{name: list(named[name].shape) for name in group} for group in groups]
        self._optimizer = torch.optim.AdamW(
            [{"params": [flat], "weight_decay": decay} for flat, decay in zip(self.flats, (weight_decay, 0.0), strict=True)],
            betas=BETAS,
            eps=EPSILON[flavour],
            fused=True,
        )
        started = _LONG_AGO if flavour is Flavour.GOOGLE_2018 else 0.0
        for flat in self.flats:
            self._optimizer.state[flat] = {
                "step": torch.tensor(started, device=flat.device),
                "exp_avg": torch.zeros_like(flat),
                "exp_avg_sq": torch.zeros_like(flat),
            }

    def zero(self) -> None:
        """Set every gradient to zero."""
        for flat in self.flats:
            assert flat.grad is not None
            flat.grad.zero_()

    def clip(self, limit: float) -> float:
        """Scale the gradient down to a norm of at most `limit` (0: no limit); the norm before it."""
        gradients = [flat.grad for flat in self.flats if flat.grad is not None]
        norm = float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients])))
        if 0 < limit < norm:
            for gradient in gradients:
                gradient.mul_(limit / norm)
        return norm

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a training state must hold: weights, moments and step count."""
        found = {}
        for number, flat in enumerate(self.flats):
            found[f"weights.{number}"] = flat.detach()
            found |= {f"{slot}.{number}": tensor for slot, tensor in self._optimizer.state[flat].items()}
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Copy a training state back."""
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                tensor.copy_(tensors[name])


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
