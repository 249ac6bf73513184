"""The checksum of TensorFlow's files."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.checkpoints import crc32c as module
from bertsmith.checkpoints.crc32c import crc32c, masked

RANDOM = np.random.default_rng(3).integers(0, 256, 700_000, np.uint8)
# lengths around the bounds of words, of the sparse multiple in bytes, words and runs of words, and of pieces
LENGTHS = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 5680, 5681, 5682, 5685, 5693, 45_475, 45_484, 45_489, 181_921, 181_930, 600_001]


def bit_by_bit(data, checksum=0):
    """The textbook's loop: Castagnoli's polynomial, bits reflected, all ones before and behind."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    checksum ^= 0xFFFFFFFF
    for byte in data:
        checksum = checksum >> 8 ^ table[(checksum ^ byte) & 0xFF]
    return checksum ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"123456789", 0xE3069283),  # the check value of the catalogue of CRCs
        (bytes(32), 0x8A9136AA),  # RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_published_check_values(data, checksum):
    assert crc32c(data) == checksum


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_agrees_with_the_textbook(length):
    data = RANDOM[:length].tobytes()
    assert crc32c(data) == bit_by_bit(data)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_checksum_goes_on_from_the_one_before(first, second):
    assert crc32c(second, crc32c(first)) == crc32c(first + second) == bit_by_bit(first + second)


@pytest.mark.parametrize("start", range(9))
def test_data_may_begin_anywhere_in_memory(start):
    assert crc32c(RANDOM[start : start + 60_000]) == bit_by_bit(RANDOM[start : start + 60_000].tolist())


def test_a_changed_bit_changes_the_checksum_wherever_it_is():
    before = crc32c(RANDOM)
    for place in (0, 7, 100_000, 524_288, 699_999):
        changed = RANDOM.copy()
        changed[place] ^= 16
        assert crc32c(changed) != before


def test_any_contiguous_buffer_is_taken_and_a_gap_refused():
    words_W = RANDOM.view("<u4")
    assert crc32c(words_W) == crc32c(memoryview(words_W)) == crc32c(RANDOM.tobytes())
    assert crc32c(np.empty((0, 3), np.float32)) == crc32c(b"") == 0
    with pytest.raises((TypeError, ValueError)):
        crc32c(RANDOM[::2])


def test_memory_does_not_grow_with_the_data():
    data = np.zeros(40_000_000, np.uint8)
    crc32c(data[:10])
    tracemalloc.start()
    crc32c(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_the_generator_divides_the_sparse_multiple():
    exponents = [module._DEGREE, *(module._DEGREE - places for places in module._BEHIND)]
    remainder = 0
    for power in range(module._DEGREE, -1, -1):
        remainder = remainder << 1 | (power in exponents)
        if remainder >> 32:
            remainder ^= 0x11EDC6F41
    assert remainder == 0


@pytest.mark.parametrize(
    ("checksum", "stored"), [(0, 0xA282EAD8), (0xFFFFFFFF, 0xA282EAD7), (0x8000, 0xA282EAD9), (1, 0xA284EAD8)]
)
def test_what_is_stored_is_turned_by_15_bits_and_shifted(checksum, stored):
    assert masked(checksum) == stored
