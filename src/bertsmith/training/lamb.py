"""LAMB: Adam whose step is scaled, tensor by tensor, to the size of the weights (You et al. 2020, algorithm 2), for very large batches."""

import torch
from torch import Tensor, nn

from bertsmith.models.bert.load import decays
from bertsmith.training.flat_rows import FlatRows
from bertsmith.training.optimizer import BETAS, fused_parts

EPSILON = 1e-6  # You et al. 2020, appendix; google-research/albert, lamb_optimizer.py


class Lamb:
    """LAMB over two flat rows.

    What decays is scaled by its trust ratio φ(‖x‖)/‖r + λx‖ with φ the identity; biases and norms neither decay nor are scaled, as in
    the authors' code. Queries, keys and values have a ratio each, although they lie in one tensor here.

    Args:
        model: its parameters become views of the flat rows, and so do their gradients.
        weight_decay: λ.
    """

    def __init__(self, model: nn.Module, weight_decay: float) -> None:
        named = dict(model.named_parameters())
        scaled = {name: parameter for name, parameter in named.items() if decays(name)}
        self.rows = FlatRows([scaled, {name: parameter for name, parameter in named.items() if not decays(name)}])
        self._weight_decay = weight_decay
        self._first, self._second = ([torch.zeros_like(flat) for flat in self.rows.flats] for _ in range(2))
        self._steps = torch.zeros((), dtype=torch.float64)
        self._updates = [torch.zeros_like(flat) for flat in self.rows.flats]
        sizes = [parameter.numel() // fused_parts(name) for name, parameter in scaled.items() for _ in range(fused_parts(name))]
        self._weight_parts = list(torch.split(self.rows.flats[0].detach(), sizes))
        self._update_parts = list(torch.split(self._updates[0], sizes))

    def step(self, rate: float) -> None:
        """One update with the given learning rate."""
        self._steps += 1
        correction_1, correction_2 = (1 - beta ** float(self._steps) for beta in BETAS)
        with torch.no_grad():
            for gradient, first, second, update in zip(
                self.rows.gradients, self._first, self._second, self._updates, strict=True
            ):
                first.lerp_(gradient, 1 - BETAS[0])
                second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                torch.div(second, correction_2, out=update).sqrt_().add_(EPSILON)
                torch.div(first, update, out=update).div_(correction_1)
            self._updates[0].add_(self.rows.flats[0], alpha=self._weight_decay)
            torch._foreach_mul_(self._update_parts, self._trust_ratios())
            for flat, update in zip(self.rows.flats, self._updates, strict=True):
                flat.add_(update, alpha=-rate)

    def slots(self) -> dict[str, Tensor]:
        """Both moments of each row, and the step count."""
        moments = {"exp_avg": self._first, "exp_avg_sq": self._second}
        return {f"{slot}.{n}": row for slot, rows in moments.items() for n, row in enumerate(rows)} | {"step": self._steps}

    def _trust_ratios(self) -> list[Tensor]:
        """‖x‖/‖r + λx‖ of each tensor, 1 where either is 0."""
        weights = torch.stack(list(torch._foreach_norm(self._weight_parts)))
        updates = torch.stack(list(torch._foreach_norm(self._update_parts)))
        return list(torch.where((weights > 0) & (updates > 0), weights / updates, 1.0).unbind())
