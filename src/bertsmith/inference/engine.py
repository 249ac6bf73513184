"""Numbers from texts: packed batches of similar length through a network, dropout off, the caller's order restored."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bertsmith.data.encoded import Encoded
from bertsmith.models.bert.pack import Pack

TOKENS = 2048  # of a batch: activations should stay in cache; larger batches were no faster


def run(network: nn.Module, forward: Callable[[Pack], Tensor], encoded: Encoded) -> NDArray[np.float32]:
    """One row of numbers for each sequence, in the caller's order.

    Args:
        network: the network, set to evaluation.
        forward: from a pack to a row for each of its sequences: (B, K).
        encoded: the sequences.
    """
    device = next(network.parameters()).device
    network.eval()
    rows: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    with torch.inference_mode():
        for index in encoded.by_length(TOKENS):
            batch = encoded.pack(index)
            rows.append((index[batch.order_B], forward(Pack.of(batch, device)).float().cpu().numpy()))
    order = np.concatenate([index for index, _ in rows])
    found = np.empty((len(encoded), rows[0][1].shape[1]), np.float32)
    found[order] = np.concatenate([values for _, values in rows])
    return found
