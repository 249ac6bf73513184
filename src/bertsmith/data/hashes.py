"""Hashes of 64 bits: of sentences, of sequences of numbers in their order, of every run of a sequence; and a table of those seen."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.seeds import bits

U64 = NDArray[np.uint64]
SLOTS = 2**22  # of 8 bytes: 32 MiB, enough for the last four million distinct sentences or so
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of the rolling hash: odd, as every bit must count


def of_texts(texts: Sequence[str]) -> U64:
    """The hash of each text: blake2b, cut to 64 bits."""
    digest = hashlib.blake2b
    joined = b"".join(digest(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(joined, "<u8").astype(np.uint64)


def of_sequences(values: NDArray[Any], counts: NDArray[np.int64]) -> U64:
    """The hash of each sequence, of its values and their places.

    Args:
        values: numbers of all sequences, end to end.
        counts: how many numbers each has; none has none.
    """
    begins = np.cumsum(counts) - counts
    places = np.arange(len(values)) - np.repeat(begins, counts)
    return (
        bits(0, "sequence", np.add.reduceat(bits(0, "place", values, places), begins))
        if len(counts)
        else np.zeros(0, np.uint64)
    )


def of_runs(values: NDArray[Any], length: int) -> U64:
    """The hash of every `length` neighbours, by where they begin; no run, no hash."""
    runs = len(values) - length + 1
    if runs < 1:
        return np.zeros(0, np.uint64)
    mixed, rolling = bits(0, "run", values), np.zeros(runs, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(length):
            rolling = rolling * _FACTOR + mixed[place : place + runs]
    return bits(0, "run", rolling)


class Seen:
    """A direct-mapped table of hashes: a new one takes the place of an older one in its slot.

    Memory is bounded; frequent repeats are found and very distant rare ones may be missed. A thing is taken for another one with a
    probability of 2⁻⁶⁴.
    """

    def __init__(self) -> None:
        self._table = np.zeros(SLOTS, np.uint64)

    def repeats(self, hashes: U64) -> NDArray[np.bool_]:
        """Whether each hash was seen before, taken one after another; all are seen now."""
        slots = (hashes % np.uint64(SLOTS)).astype(np.int64)
        order = np.argsort(slots, kind="stable")
        ordered, places = hashes[order], slots[order]
        follows = np.zeros(len(order), bool)  # another hash of this call in the same slot
        follows[1:] = places[1:] == places[:-1]
        before = self._table[places]
        before[1:][follows[1:]] = ordered[:-1][follows[1:]]
        found = np.empty(len(order), bool)
        found[order] = before == ordered
        last = ~np.append(follows[1:], False)[: len(order)]
        self._table[places[last]] = ordered[last]
        return found

    @property
    def remembered(self) -> U64:
        """The hashes in the table; `remember` fills another one with them."""
        hashes: U64 = self._table[self._table != 0]
        return hashes

    def remember(self, hashes: U64) -> None:
        """Fill the table with what another one remembered."""
        self._table[(hashes % np.uint64(SLOTS)).astype(np.int64)] = hashes
