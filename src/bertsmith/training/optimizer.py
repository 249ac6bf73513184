"""How weights are updated: one protocol, and AdamW over two flat rows (everything that decays, and everything that does not)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor, nn

from bertsmith.models.bert.load import decays
from bertsmith.training.flat_rows import FlatRows

BETAS = (0.9, 0.999)  # Devlin 2019, appendix A.2


class Optimizer(Protocol):
    """A network in flat rows, and a rule that updates them."""

    @property
    def rows(self) -> FlatRows:
        """The weights and their gradients."""

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""

    def slots(self) -> dict[str, Tensor]:
        """Everything but the weights that the next update depends on: moments, step counts."""


def state_of(optimizer: Optimizer) -> dict[str, Tensor]:
    """Everything that a training state must hold; the tensors are the optimizer's own."""
    return {f"weights.{number}": flat.detach() for number, flat in enumerate(optimizer.rows.flats)} | optimizer.slots()


def restore(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Copy a training state back."""
    with torch.no_grad():
        for name, tensor in state_of(optimizer).items():
            tensor.copy_(tensors[name])


class Flavour(StrEnum):
    """Which Adam: with bias correction (Kingma and Ba 2015; Loshchilov and Hutter 2019), or google-research/bert's without."""

    CORRECTED = "corrected"
    GOOGLE_2018 = "google-2018"


EPSILON = {Flavour.CORRECTED: 1e-8, Flavour.GOOGLE_2018: 1e-6}
_LONG_AGO = 1e9  # with this step count the correction 1 - βᵗ is exactly 1, which is Google's variant


class AdamW:
    """The parameters of a network in flat fp32 rows, updated by one fused call.

    Args:
        model: its parameters become views of the flat rows, and so do their gradients.
        flavour: with or without bias correction.
        weight_decay: decoupled decay, times the learning rate, on what `decays`.
    """

    def __init__(self, model: nn.Module, flavour: Flavour, weight_decay: float) -> None:
        named = dict(model.named_parameters())
        self.rows = FlatRows(
            [
                {name: parameter for name, parameter in named.items() if decays(name)},
                {name: parameter for name, parameter in named.items() if not decays(name)},
            ]
        )
        self._update = FusedAdamW(self.rows.flats, (weight_decay, 0.0), flavour)

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""
        self._update.step(rate)

    def slots(self) -> dict[str, Tensor]:
        """Moments and step count of each row."""
        return self._update.slots(0)


class FusedAdamW:
    """AdamW on some flat rows.

    Args:
        flats: the rows.
        weight_decays: the decoupled decay of each.
        flavour: with or without bias correction.
    """

    def __init__(self, flats: Sequence[nn.Parameter], weight_decays: Sequence[float], flavour: Flavour) -> None:
        self._optimizer = torch.optim.AdamW(
            [{"params": [flat], "weight_decay": decay} for flat, decay in zip(flats, weight_decays, strict=True)],
            betas=BETAS,
            eps=EPSILON[flavour],
            fused=True,
        )
        started = _LONG_AGO if flavour is Flavour.GOOGLE_2018 else 0.0
        for flat in flats:
            self._optimizer.state[flat] = {
                "step": torch.tensor(started, device=flat.device),
                "exp_avg": torch.zeros_like(flat),
                "exp_avg_sq": torch.zeros_like(flat),
            }

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    def slots(self, first: int) -> dict[str, Tensor]:
        """Moments and step count of each row, under the number of the row; the first has number `first`."""
        states = [self._optimizer.state[group["params"][0]] for group in self._optimizer.param_groups]
        return {f"{slot}.{first + n}": tensor for n, state in enumerate(states) for slot, tensor in state.items()}


def fused_parts(name: str) -> int:
    """How many tensors of the paper's network a parameter is: queries, keys and values are three in one."""
    return 3 if name.endswith("attention.qkv.weight") else 1
