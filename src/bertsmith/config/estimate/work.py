"""What there is to compute: how many tokens, sequences, squares of lengths and predicted tokens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Some sequences, as far as their cost goes.

    Args:
        sequences: how many there are.
        tokens: the sum of their lengths.
        squares: the sum of their squared lengths; attention compares each token with each of its own sequence.
        predicted: how many tokens the masked LM head predicts.
    """

    sequences: float
    tokens: float
    squares: float
    predicted: float

    @property
    def read(self) -> float:
        """Rows of the last layer that a head reads: first tokens and predicted ones. Behind its attention the others are left out."""
        return min(self.tokens, self.sequences + self.predicted)

    @classmethod
    def of(cls, lengths: Sequence[int], masked_share: float) -> "Work":
        """Sequences of these lengths, laid end to end without padding."""
        counts = Counter(lengths).items()  # a step may have many thousands of sequences of few lengths
        return cls(
            sequences=len(lengths),
            tokens=sum(lengths),
            squares=sum(count * length * length for length, count in counts),
            predicted=sum(count * predicted_of(length, masked_share) for length, count in counts),
        )

    @classmethod
    def padded(cls, sequences: int, length: int) -> "Work":
        """Sequences padded to one length, the masked LM head on every row, as transformers computes them."""
        tokens = sequences * length
        return cls(sequences, tokens, tokens * length, tokens)

    def scaled(self, factor: float) -> "Work":
        """So many times this work."""
        return Work(self.sequences * factor, self.tokens * factor, self.squares * factor, self.predicted * factor)


def predicted_of(length: int, masked_share: float) -> int:
    """Tokens that are predicted in a sequence: max(1, round(share·n)), halves to even, never a special one (as `data/masking`)."""
    return min(max(round(masked_share * length), 1), max(length - 2, 1))


def typical_batch(lengths: Sequence[int], sequences: int) -> list[int]:
    """A batch that stands for all lengths: `sequences` evenly spaced quantiles of them, the shortest first."""
    ordered = sorted(lengths)
    return [ordered[(2 * i + 1) * len(ordered) // (2 * sequences)] for i in range(sequences)]


def micro_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """A batch cut into pieces of at most `budget` tokens, at least one sequence each, the shortest first (as `cut_by_tokens`)."""
    pieces: list[list[int]] = []
    room = 0
    for length in sorted(lengths):
        if length <= room:
            pieces[-1].append(length)
            room -= length
        else:
            pieces.append([length])
            room = budget - length
    return pieces
