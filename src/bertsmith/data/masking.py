"""Which tokens are hidden and what stands in their place, as a pure function of (seed, epoch, index).

Devlin et al. 2019, section 3.1 and appendix A.1, with the exact count of create_pretraining_data.py: of a sequence of n tokens,
[CLS] and [SEP] counted, max(1, round(share·n)) are predicted, halves rounded to even; none of them is a special one. Of those,
80 % become [MASK], 10 % stay, 10 % become a random piece of the full vocabulary. Where whole words, n-grams or spans of words are
hidden (`masking_words`), that count is the most that is predicted, and no word is split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.instance_settings import KEPT, REPLACED, Unit
from bertsmith.data.masking_words import Drawn, Packed, chosen_runs, chosen_words, in_random_order, rows_of, words_of
from bertsmith.seeds import below, uniform

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
_SHARE_OF_SPAN = 0.2  # Joshi et al. 2020 (SpanBERT), section 3.1: lengths are geometric, clipped at ten words
_LONGEST_SPAN = 10

# Shares of the lengths in words. N-grams: Cui et al. 2020 (MacBERT), section 3: 40, 30, 20 and 10 %.
LENGTHS: dict[Unit, tuple[float, ...]] = {
    Unit.NGRAM: (0.4, 0.3, 0.2, 0.1),
    Unit.SPAN: tuple(
        _SHARE_OF_SPAN * (1 - _SHARE_OF_SPAN) ** k / (1 - (1 - _SHARE_OF_SPAN) ** _LONGEST_SPAN) for k in range(_LONGEST_SPAN)
    ),
}


@dataclass(frozen=True)
class MaskRules:
    """What decides which tokens are predicted and what stands in their place.

    Args:
        share: of a sequence's tokens that is predicted.
        vocab_size: pieces of the vocabulary, all of which may be drawn.
        mask_id: the id of [MASK].
        seed: the run's seed.
        unit: what is hidden as a whole.
        replaced: share of the predicted tokens that become [MASK].
        kept: share of them that stay as they are; the rest become random pieces.
        most: most predicted tokens of a sequence, or None.
    """

    share: float
    vocab_size: int
    mask_id: int
    seed: int
    unit: Unit = Unit.TOKEN
    replaced: float = REPLACED
    kept: float = KEPT
    most: int | None = None


def mask(
    ids_T: I64,
    maskable_T: Bools,
    cu_seqlens: I64,
    epoch: int,
    index_B: I64,
    rules: MaskRules,
    starts_T: Bools | None = None,
) -> tuple[I64, I64, I64]:
    """Hide tokens of packed sequences.

    Args:
        ids_T: the tokens, sequences end to end.
        maskable_T: False on special tokens; of the first and last token of each sequence, where words are hidden.
        cu_seqlens: (B+1,) where each sequence begins, and the end.
        epoch: the epoch.
        index_B: number of each instance in the epoch; with seed and epoch it decides every draw.
        rules: share, unit, vocabulary and seed.
        starts_T: whether a token begins a word; needed by every unit but the token.

    Returns:
        The tokens with some replaced (T), the rows that are predicted (M, rising), and what stood there (M).
    """
    packed = Packed.of(cu_seqlens, maskable_T)
    masked_M, decider_M = choose(packed, starts_T, epoch, index_B, rules)
    at = (index_B[packed.sequence_T[masked_M]], packed.place_T[masked_M], packed.place_T[decider_M])
    shown_T, labels_M = hide(ids_T, masked_M, epoch, *at, rules)
    return shown_T, masked_M, labels_M


def choose(packed: Packed, starts_T: Bools | None, epoch: int, index_B: I64, rules: MaskRules) -> tuple[I64, I64]:
    """The rows that are predicted (M, rising), and for each the row whose draw decides what stands there: of a span its first token.

    Args:
        packed: the sequences.
        starts_T: whether a token begins a word; needed by every unit but the token.
        epoch: the epoch.
        index_B: number of each instance in the epoch.
        rules: share, unit and seed.
    """
    budget_B = _budgets(packed, rules)
    drawn = Drawn(rules.seed, epoch, index_B)
    if rules.unit is Unit.TOKEN:
        masked_M = _chosen_tokens(packed, drawn, budget_B)
        return masked_M, masked_M
    assert starts_T is not None, "whole words need word starts"
    words = words_of(packed, starts_T)
    if rules.unit is Unit.WORD:
        taken_W = chosen_words(packed, words, drawn, budget_B)
        return rows_of(words, taken_W), rows_of(words, taken_W)
    taken_W, head_W = chosen_runs(packed, words, drawn, budget_B, LENGTHS[rules.unit])
    masked_M = rows_of(words, taken_W)
    if rules.unit is Unit.NGRAM:
        return masked_M, masked_M
    return masked_M, np.repeat(words.first_W[head_W[taken_W]], words.size_W[taken_W])


def hide(
    ids_T: I64, masked_M: I64, epoch: int, index_M: I64, place_M: I64, decider_M: I64, rules: MaskRules
) -> tuple[I64, I64]:
    """What is shown in place of chosen tokens, and what stood there.

    Args:
        ids_T: the tokens.
        masked_M: the chosen rows.
        epoch: the epoch.
        index_M: number of the instance of each chosen token.
        place_M: its place in the instance.
        decider_M: the place whose draw decides what stands there.
        rules: shares, vocabulary and seed.
    """
    chance_M = uniform(rules.seed, "replace", epoch, index_M, decider_M)
    random_M = below(rules.vocab_size, rules.seed, "random piece", epoch, index_M, place_M)
    labels_M = ids_T[masked_M]
    stays_M = np.where(chance_M < rules.replaced + rules.kept, labels_M, random_M)
    shown_T = ids_T.copy()
    shown_T[masked_M] = np.where(chance_M < rules.replaced, rules.mask_id, stays_M)
    return shown_T, labels_M


def _budgets(packed: Packed, rules: MaskRules) -> I64:
    """How many tokens of each sequence are predicted, or at most predicted."""
    candidates_B = np.add.reduceat(packed.maskable_T, packed.cu_seqlens[:-1], dtype=np.int64)
    count_B = np.maximum(np.rint(rules.share * np.diff(packed.cu_seqlens)).astype(np.int64), 1)
    if rules.most is not None:
        count_B = np.minimum(count_B, rules.most)
    budget_B: I64 = np.minimum(count_B, candidates_B)
    return budget_B


def _chosen_tokens(packed: Packed, drawn: Drawn, count_B: I64) -> I64:
    """Rows of the `count` first tokens of each sequence in a random order."""
    sequence_N, row_N = in_random_order(packed, np.flatnonzero(packed.maskable_T), drawn)
    found_B = np.bincount(sequence_N, minlength=len(count_B))
    rank_N = np.arange(len(row_N)) - (np.cumsum(found_B) - found_B)[sequence_N]
    return np.sort(row_N[rank_N < count_B[sequence_N]])
