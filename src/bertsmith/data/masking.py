"""Which tokens are hidden and what stands in their place, as a pure function of (seed, epoch, index).

Devlin et al. 2019, section 3.1 and appendix A.1, with the exact count of create_pretraining_data.py: of a sequence of n tokens,
[CLS] and [SEP] counted, max(1, round(share·n)) are predicted, halves rounded to even; none of them is a special one. Of those,
80 % become [MASK], 10 % stay, 10 % become a random piece of the full vocabulary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.seeds import below, bits, uniform

I64 = NDArray[np.int64]
REPLACED, KEPT = 0.8, 0.1  # Devlin 2019, section 3.1


@dataclass(frozen=True)
class MaskRules:
    """What decides which tokens are predicted: the share of a sequence, the vocabulary and its [MASK], the seed."""

    share: float
    vocab_size: int
    mask_id: int
    seed: int


def mask(
    ids_T: I64, maskable_T: NDArray[np.bool_], cu_seqlens: I64, epoch: int, index_B: I64, rules: MaskRules
) -> tuple[I64, I64, I64]:
    """Hide tokens of packed sequences.

    Args:
        ids_T: the tokens, sequences end to end.
        maskable_T: False on special tokens.
        cu_seqlens: (B+1,) where each sequence begins, and the end.
        epoch: the epoch.
        index_B: number of each instance in the epoch; with seed and epoch it decides every draw.
        rules: share, vocabulary and seed.

    Returns:
        The tokens with some replaced (T), the rows that are predicted (M, rising), and what stood there (M).
    """
    lengths_B = np.diff(cu_seqlens)
    sequence_T = np.repeat(np.arange(len(lengths_B)), lengths_B)
    place_T = np.arange(len(ids_T)) - cu_seqlens[sequence_T]
    masked_M = _chosen(maskable_T, cu_seqlens, bits(rules.seed, "mask", epoch, index_B[sequence_T], place_T), rules.share)
    at = (epoch, index_B[sequence_T[masked_M]], place_T[masked_M])
    chance_M = uniform(rules.seed, "replace", *at)
    labels_M = ids_T[masked_M]
    random_M = below(rules.vocab_size, rules.seed, "random piece", *at)
    shown_M = np.where(chance_M < REPLACED, rules.mask_id, np.where(chance_M < REPLACED + KEPT, labels_M, random_M))
    shown_T = ids_T.copy()
    shown_T[masked_M] = shown_M
    return shown_T, masked_M, labels_M


def _chosen(maskable_T: NDArray[np.bool_], cu_seqlens: I64, keys_T: NDArray[np.uint64], share: float) -> I64:
    """Rows of the `count` smallest keys among the maskable tokens of each sequence."""
    lengths_B = np.diff(cu_seqlens)
    candidates_B = np.add.reduceat(maskable_T.astype(np.int64), cu_seqlens[:-1])
    count_B = np.minimum(np.maximum(np.rint(share * lengths_B).astype(np.int64), 1), candidates_B)
    sequence_T = np.repeat(np.arange(len(lengths_B)), lengths_B)
    order_T = np.lexsort((keys_T, ~maskable_T, sequence_T))
    rank_T = np.arange(len(keys_T)) - cu_seqlens[sequence_T]
    return np.sort(order_T[rank_T < count_B[sequence_T]])
