"""Words met before, looked up thousands at a time: a table in numpy, for words of at most sixteen ASCII letters and digits."""

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
SLOTS = 2**18  # of 33 bytes, 4.3 MB: a larger one found hardly more in an encyclopedia and left the processor's cache
_LONGEST, _MOST_PIECES = 16, 4  # characters, and pieces, of a word in the table
_NONE = 255  # in place of a character that no word in the table has
_NO_WORD = np.uint64(2**64 - 1)
_HIGH_BITS = np.uint64(0x8080808080808080)  # no ASCII character has them
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93], np.uint64)  # odd, as every bit must count
_KEPT_W2 = np.tri(_LONGEST + 1, _LONGEST, -1, np.uint8).view(np.uint64) * np.uint64(
    255
)  # bytes of a word of so many characters


class WordTable:
    """The pieces of words: a new word takes the place of an older one in its slot.

    A word is its own key, its characters with zeros behind them, so that none is ever taken for another.

    Args:
        lowercase: words that differ in case alone have the same pieces.
    """

    def __init__(self, lowercase: bool) -> None:
        self._letters = np.full(2**16, _NONE, np.uint8)
        for character in filter(str.isalnum, map(chr, range(128))):
            self._letters[ord(character)] = ord(character.lower() if lowercase else character)
        self._keys = np.zeros((SLOTS, 2), np.uint64)
        self._ids = np.zeros((SLOTS, _MOST_PIECES), np.int32)
        self._counts = np.zeros(SLOTS, np.uint8)

    def keys(self, units: NDArray[np.uint16], begin_W: I64, length_W: I64) -> U64:
        """The key of each word, (W, 2).

        Args:
            units: a text in UTF-16.
            begin_W: where each word begins.
            length_W: units of each.
        """
        letters = np.zeros(len(units) + _LONGEST, np.uint8)
        letters[: len(units)] = self._letters[units]
        windows = np.ndarray((len(units) + 1, _LONGEST), np.uint8, letters, strides=(1, 1))
        keys_W2 = windows[begin_W].view(np.uint64)
        keys_W2 &= _KEPT_W2[np.minimum(length_W, _LONGEST)]
        keys_W2[length_W > _LONGEST] = _NO_WORD
        return keys_W2

    def look_up(self, keys_W2: U64) -> tuple[I64, I64]:
        """The slot of each word, and how many pieces it has there; none where the slot holds another word."""
        slot_W = _slots(keys_W2)
        same = self._keys[slot_W] == keys_W2
        return slot_W, self._counts[slot_W] * (same[:, 0] & same[:, 1]).astype(np.int64)

    def pieces(self, slot_W: I64, count_W: I64) -> I32:
        """The pieces in some slots, end to end."""
        within_T = np.arange(count_W.sum()) - np.repeat(np.cumsum(count_W) - count_W, count_W)
        ids_T: I32 = self._ids.reshape(-1)[np.repeat(slot_W * _MOST_PIECES, count_W) + within_T]
        return ids_T

    def learn(self, keys_W2: U64, count_W: I64, ids_T: I32) -> None:
        """Take in words that were looked up in vain, but for those it has no room for.

        Args:
            keys_W2: their keys.
            count_W: how many pieces each has.
            ids_T: their pieces, end to end.
        """
        fits_W = (keys_W2 & _HIGH_BITS == 0).all(1) & (count_W <= _MOST_PIECES)
        ids_W4 = np.zeros((int(fits_W.sum()), _MOST_PIECES), np.int32)
        ids_W4[np.arange(_MOST_PIECES) < count_W[fits_W, None]] = ids_T[np.repeat(fits_W, count_W)]
        keys_W2, count_W, slot_W = keys_W2[fits_W], count_W[fits_W], _slots(keys_W2[fits_W])
        self._keys[slot_W] = keys_W2
        stays_W = (self._keys[slot_W] == keys_W2).all(1)  # of several words for one slot a single one
        self._counts[slot_W[stays_W]], self._ids[slot_W[stays_W]] = count_W[stays_W], ids_W4[stays_W]


def _slots(keys_W2: U64) -> I64:
    mixed = keys_W2 * _FACTORS
    mixed_W = mixed[:, 0] ^ (mixed[:, 1] >> np.uint64(15))
    mixed_W = (mixed_W ^ (mixed_W >> np.uint64(32))) * _FACTORS[0]
    slot_W: I64 = (mixed_W >> np.uint64(65 - SLOTS.bit_length())).astype(np.int64)
    return slot_W
