"""What of the encoded text goes into a store, and into which split: documents cut to length, duplicates, evaluation texts, repeats.

All of it depends on the order of the documents alone, never on how they came in batches, so that any number of workers gives the same store.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.corpus import HELD_OUT, LONGEST, TRAIN
from bertsmith.data.encoded_text import I64, EncodedText, no_text, summed
from bertsmith.data.encoding import EncodedBatch
from bertsmith.data.hashes import Seen, of_sequences
from bertsmith.seeds import uniform

COUNTED = ("documents", "sentences", "cuts", "duplicates", "excluded", "repeats")
_TAIL = "tail"


@dataclass(frozen=True)
class SieveRules:
    """What is dropped, and what is held out.

    Args:
        drop_duplicates: leave out documents that were read before; they are counted in any case.
        drop_repeats: leave out sentences that were read before; they are counted in any case.
        held_out: probability of a document to be held out.
        seed: seed of that choice.
    """

    drop_duplicates: bool
    drop_repeats: bool
    held_out: float
    seed: int


class Sieve:
    """Passes documents on to their splits.

    Args:
        rules: what is dropped.
        token_type: number type of the tokens.
    """

    def __init__(self, rules: SieveRules, token_type: "np.dtype[Any]") -> None:
        self._rules = rules
        self.counts = dict.fromkeys(COUNTED, 0)
        self._passed = 0  # documents that were given a split
        self._tail = no_text(token_type)  # sentences of a document that goes on
        self._documents, self._sentences = Seen(), Seen()

    def passed(self, batch: EncodedBatch) -> Iterator[tuple[str, EncodedText, I64]]:
        """The documents of a batch that are whole now: for each split their sentences, and how many each document has."""
        text, sentences_D = self._whole_documents(batch)
        self.counts["documents"] += len(sentences_D)
        self.counts["sentences"] += len(text)
        keep_S = np.repeat(self._not_dropped_duplicates(text, sentences_D), sentences_D)
        self.counts["excluded"] += int((keep_S & text.excluded_S).sum())
        keep_S &= ~text.excluded_S
        repeated = self._sentences.repeats(text.hashes_S[keep_S])
        self.counts["repeats"] += int(repeated.sum())
        if self._rules.drop_repeats:
            keep_S[keep_S] = ~repeated
        text, left_D = text.where(keep_S), summed(keep_S.astype(np.int64), sentences_D)
        left_D = left_D[left_D > 0]
        held_out_D = self._held_out(len(left_D))
        for split, wanted_D in ((TRAIN, ~held_out_D), (HELD_OUT, held_out_D)):
            if wanted_D.any():
                yield split, text.where(np.repeat(wanted_D, left_D)), left_D[wanted_D]

    def state(self) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
        """What another sieve needs to go on: counts, and arrays."""
        seen = {"seen.documents": self._documents.remembered, "seen.sentences": self._sentences.remembered}
        return {**self.counts, "passed": self._passed}, {**seen, **self._tail.arrays(_TAIL)}

    def restore(self, counts: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.counts = {what: counts[what] for what in COUNTED}
        self._passed = counts["passed"]
        self._documents.remember(arrays["seen.documents"])
        self._sentences.remember(arrays["seen.sentences"])
        self._tail = EncodedText.from_arrays(arrays, _TAIL)

    def _whole_documents(self, batch: EncodedBatch) -> tuple[EncodedText, I64]:
        """The documents that end in a batch, cut where they grow over the longest; the rest waits for the next batch."""
        text = EncodedText.joined([self._tail, batch.text]) if len(self._tail) else batch.text
        ends_R = len(self._tail) + np.cumsum(batch.sentences_R)
        whole = np.unique(ends_R[~batch.goes_on_R & (ends_R > 0)])
        open_ended = bool(batch.goes_on_R[-1])
        ends, start = [], 0
        before_S = np.append(0, np.cumsum(text.characters_S))
        for end in [*whole.tolist(), *([len(text)] if open_ended else [])]:
            cuts = _cuts(before_S, start, end)
            self.counts["cuts"] += len(cuts)
            ends += [*cuts, end]
            start = end
        if open_ended:
            ends.pop()
        last = ends[-1] if ends else 0
        self._tail = text.between(last, len(text))
        return text.between(0, last), np.diff([0, *ends]).astype(np.int64)

    def _not_dropped_duplicates(self, text: EncodedText, sentences_D: I64) -> NDArray[np.bool_]:
        duplicate = self._documents.repeats(of_sequences(text.hashes_S, sentences_D))
        self.counts["duplicates"] += int(duplicate.sum())
        return ~duplicate if self._rules.drop_duplicates else np.ones(len(sentences_D), bool)

    def _held_out(self, documents: int) -> NDArray[np.bool_]:
        """Whether each of the next documents is held out, by its number alone; the first of all never is."""
        numbers = np.arange(self._passed, self._passed + documents)
        self._passed += documents
        return (uniform(self._rules.seed, "held-out", numbers) < self._rules.held_out) & (numbers > 0)


def _cuts(before_S: I64, start: int, end: int) -> list[int]:
    """Where the sentences from `start` to before `end` are cut so that no part has too many characters."""
    cuts: list[int] = []
    while before_S[end] - before_S[start] > LONGEST:
        start = max(start + 1, int(np.searchsorted(before_S, before_S[start] + LONGEST, "right")) - 1)
        if start >= end:
            break
        cuts.append(start)
    return cuts
