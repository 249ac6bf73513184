"""Counter-based randomness: every draw is a pure function of (seed, purpose, counters).

No draw depends on how many came before it, so any instance of any epoch can be made at once, in any process. The mixing is
the finaliser of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"), applied once
per counter; whole arrays of counters are hashed at once, because building a generator object per draw costs 13 µs.
"""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

U64 = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)
_SHIFT_11, _SHIFT_32, _LOW_32 = np.uint64(11), np.uint64(32), np.uint64(0xFFFFFFFF)
_FEISTEL_ROUNDS = 6  # four rounds make a strong permutation (Luby and Rackoff 1988); two more for small halves


def _mix(z: U64) -> U64:
    z = (z ^ (z >> _SHIFT_30)) * _MIX_1
    z = (z ^ (z >> _SHIFT_27)) * _MIX_2
    mixed: U64 = z ^ (z >> _SHIFT_31)
    return mixed


@lru_cache(maxsize=256)
def _purpose(seed: int, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def bits(seed: int, purpose: str, *counters: ArrayLike) -> U64:
    """64 random bits for each combination of counters.

    Args:
        seed: the run's seed, any integer.
        purpose: what the draw is for; two purposes never share a draw.
        counters: integers or integer arrays of at least 0, broadcast against each other.

    Returns:
        uint64 array of the broadcast shape (0-d for scalars).
    """
    with np.errstate(over="ignore"):
        z = np.asarray(_purpose(seed, purpose), np.uint64)
        for counter in counters:
            z = _mix(z + _GOLDEN + np.asarray(counter).astype(np.uint64) * _GOLDEN)
        return z if counters else _mix(z)


def uniform(seed: int, purpose: str, *counters: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) with 53 bits, one for each combination of counters."""
    return (bits(seed, purpose, *counters) >> _SHIFT_11).astype(np.float64) * 2.0**-53


def below(bound: ArrayLike, seed: int, purpose: str, *counters: ArrayLike) -> NDArray[np.int64]:
    """Uniform integers in [0, bound), bound < 2³²; the bias of the multiply-and-shift is below 2⁻³²·bound."""
    high = bits(seed, purpose, *counters) >> _SHIFT_32
    return ((high * np.asarray(bound).astype(np.uint64)) >> _SHIFT_32).astype(np.int64)


def permute(index: ArrayLike, size: int, seed: int, purpose: str, *counters: int) -> NDArray[np.int64]:
    """Where `index` goes in a keyed permutation of range(size); no table is built.

    A balanced Feistel network on the smallest even number of bits that holds `size`, walked until the value falls inside
    (Black and Rogaway 2002, "cycle walking").

    Args:
        index: integers in [0, size).
        size: length of the permuted range, at least 1.
        counters: further keys, such as the epoch.

    Returns:
        int64 array of the shape of `index`; distinct indices go to distinct places.
    """
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    keys = [bits(seed, purpose, *counters, r) for r in range(_FEISTEL_ROUNDS)]
    value = np.array(index, dtype=np.uint64, ndmin=1)
    outside = np.ones(value.shape, bool)
    with np.errstate(over="ignore"):
        while outside.any():
            left, right = value[outside] >> half, value[outside] & mask
            for key in keys:
                left, right = right, left ^ (_mix(right * _GOLDEN + key) & mask)
            value[outside] = (left << half) | right
            outside = value >= size
    return value.astype(np.int64).reshape(np.shape(index))
