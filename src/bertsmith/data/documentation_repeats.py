"""What stands twice in a collection: equal sentences, and held-out sentences that are nearly one of the training text."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bertsmith import seeds

_WINDOW = 40  # bytes in a row, about seven words, that two texts share only when one was copied from the other (assumed)
_COPIED_SHARE = 0.5  # of a sentence's windows known already: it is a copy with small changes (assumed)
_AT_ONCE = 10_000  # sentences hashed together, about 1 MB
_BLANK = ord(" ")
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_SPREAD = seeds.bits(0, "copy-finder", np.arange(256))  # 64 random bits for each byte


def first_occurrences(sentences: Iterable[str], seen: set[str]) -> list[bool]:
    """Which sentences did not stand before, small and capital letters being equal; adds them to `seen`."""
    new = []
    for sentence in sentences:
        key = sentence.lower()
        new.append(key not in seen)
        seen.add(key)
    return new


class CopyFinder:
    """Knows the windows of the sentences that were shown to it, as 64-bit hashes; a window begins with a word."""

    def __init__(self) -> None:
        self._known: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def copies(self, sentences: Sequence[str]) -> NDArray[np.bool_]:
        """Which sentences share at least half of their windows with what was shown before, bool (S,); short ones have no window."""
        if not len(self._known):
            return np.zeros(len(sentences), np.bool_)
        hashes, owner = _windows(sentences)
        windows = np.bincount(owner, minlength=len(sentences))
        known = np.bincount(owner[np.isin(hashes, self._known)], minlength=len(sentences))
        copied: NDArray[np.bool_] = (windows > 0) & (known >= _COPIED_SHARE * windows)
        return copied

    def show(self, sentences: Sequence[str]) -> None:
        """Remember the windows of some sentences."""
        self._known = np.concatenate([self._known, _windows(sentences)[0]])


def _windows(sentences: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hash of each window, uint64 (W,), and the sentence that it is in, int64 (W,)."""
    hashes, owners = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for start in range(0, len(sentences), _AT_ONCE):
        piece = sentences[start : start + _AT_ONCE]
        lines = [f" {sentence.lower()}".encode() for sentence in piece]
        owner = np.repeat(np.arange(len(piece)), [len(line) for line in lines])
        bytes_T = np.frombuffer(b"".join(lines), np.uint8)
        starts = np.flatnonzero(bytes_T == _BLANK)
        starts = starts[starts + _WINDOW <= len(bytes_T)]
        starts = starts[owner[starts] == owner[starts + _WINDOW - 1]]
        hashes.append(_hashes(bytes_T, starts))
        owners.append(owner[starts] + start)
    return np.concatenate(hashes), np.concatenate(owners)


def _hashes(bytes_T: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Polynomial hashes modulo 2⁶⁴ of the windows at `starts`: differences of prefix sums, moved to the same power of the base."""
    with np.errstate(over="ignore"):
        powers = np.multiply.accumulate(np.full(len(bytes_T), _BASE))
        inverse = np.multiply.accumulate(np.full(len(bytes_T), _INVERSE))
        sums = np.concatenate([np.zeros(1, np.uint64), np.add.accumulate(_SPREAD[bytes_T] * powers)])
        hashes: NDArray[np.uint64] = (sums[starts + _WINDOW] - sums[starts]) * inverse[starts]
    return hashes
