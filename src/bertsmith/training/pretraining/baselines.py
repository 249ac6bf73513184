"""What a model that has learned nothing about context reaches: the unigram for masked LM, the majority class for pairs."""

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.token_store import TokenStore


def piece_counts(store: TokenStore) -> NDArray[np.int64]:
    """How often each piece occurs in the training text: (V,)."""
    counts_V = np.zeros(store.vocabulary.size, np.int64)
    for shard in store.shards("train"):
        counts_V += np.bincount(shard.tokens, minlength=store.vocabulary.size)
    return counts_V


def log_frequencies(store: TokenStore) -> NDArray[np.float64]:
    """Log-probability of each piece in the training text, one added to each count: (V,)."""
    counts_V = piece_counts(store) + 1.0
    log_p_V: NDArray[np.float64] = np.log(counts_V / counts_V.sum())
    return log_p_V


def unigram(store: TokenStore, labels_M: NDArray[np.int64]) -> tuple[float, float]:
    """Loss in nats and accuracy of guessing hidden pieces by their frequency in the training text."""
    log_p_V = log_frequencies(store)
    return float(-log_p_V[labels_M].mean()), float((labels_M == log_p_V.argmax()).mean())


def majority(targets_B: NDArray[np.int64]) -> float:
    """Accuracy of always giving the more frequent of the two labels."""
    share = float(targets_B.mean())
    return max(share, 1 - share)
