"""The checksum in TensorFlow's files: CRC-32C (Castagnoli), computed by xors of whole numpy arrays.

A message is a polynomial over GF(2), its first bit the highest power, and its checksum the remainder by the generator g. In place of tables,
in which numpy can only look up one number after another, this takes a sparse multiple of g, as in S. Russell, "Chorba: A novel CRC32
implementation" (arXiv:2412.16398): g divides x^5685 + x^1362 + x^426 + 1, found by search. A square of it has the same terms with twice the
exponents, so it holds in bytes (8 times), in words (64 times) and in runs of words too. An element is therefore wiped out when it is xored
into the elements 4323, 5259 and 5685 places behind it, and 4323 neighbours at once, as they do not touch each other.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GENERATOR = 0x82F63B78  # Castagnoli's polynomial, the highest power in the lowest bit
_ONE = 0x80000000  # the polynomial 1, in the same order
_DEGREE, _BEHIND = 5685, (4323, 5259, 5685)  # the degree of the multiple, and that minus each of its lower exponents
_RUN = 4  # words taken as one element; 1 to 8 measured within 40 % of each other
_PIECE = 1 << 19  # bytes worked on at a time, so that they stay in a core's cache; 256 KiB to 1 MiB measured alike
_MASK = 0xA282EAD8  # TensorFlow turns and shifts what it stores, because a checksum of data with checksums inside is weak


def crc32c(data: Any, before: int = 0) -> int:
    """The CRC-32C of some bytes, in memory that does not grow with them.

    Args:
        data: anything contiguous with a buffer: bytes, an array, a mapped file.
        before: the checksum of the bytes that come before these.
    """
    view = memoryview(data)  # an empty one cannot be cast
    data_T = np.frombuffer(view.cast("B"), np.uint8) if view.nbytes else np.empty(0, np.uint8)
    first = np.frombuffer((before ^ 0xFFFFFFFF).to_bytes(4, "little"), np.uint8)
    whole = len(data_T) // 8 * 8
    rest_W = np.empty(0, np.uint64)
    for start in range(0, whole, _PIECE):
        piece_W = data_T[start : min(start + _PIECE, whole)].view(np.uint64)
        work_W = np.concatenate([rest_W, piece_W])
        if start == 0:
            work_W.view(np.uint8)[:4] ^= first
        rest_W = _wiped(work_W, _RUN)
    tail_T = np.concatenate([_wiped(rest_W, 1).view(np.uint8), data_T[whole:], np.zeros(4, np.uint8)])
    if whole == 0:
        tail_T[:4] ^= first
    return _remainder(_wiped(tail_T, 1)) ^ 0xFFFFFFFF


def masked(checksum: int) -> int:
    """A checksum as TensorFlow stores it."""
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF


def _wiped(work: NDArray[Any], run: int) -> NDArray[Any]:
    """The last elements, to which the message shrinks when all before them are wiped out; `work` is used up."""
    end = len(work) - _DEGREE * run
    if end <= 0:
        return work
    step = _BEHIND[0] * run
    for start in range(0, end, step):
        stop = min(start + step, end)
        for places in _BEHIND:
            work[start + places * run : stop + places * run] ^= work[start:stop]
    return work[end:]


def _remainder(bytes_T: NDArray[np.uint8]) -> int:
    """The remainder of a message of at most `_DEGREE` bytes: the sum of the remainders of its powers."""
    bits = np.unpackbits(bytes_T, bitorder="little")
    return int(np.bitwise_xor.reduce(_powers()[8 * _DEGREE - len(bits) :] * bits))


@cache
def _powers() -> NDArray[np.uint32]:
    """The remainders of the powers of x below 8 · `_DEGREE`, the highest power first."""
    powers, value = [], _ONE
    for _ in range(8 * _DEGREE):
        powers.append(value)
        value = value >> 1 ^ (_GENERATOR if value & 1 else 0)
    return np.array(powers[::-1], np.uint32)
