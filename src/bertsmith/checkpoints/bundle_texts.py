"""How a tensor of texts stands in a TensorFlow bundle: the lengths, a checksum of the lengths, the texts end to end.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc, `WriteStringTensor`.
"""

from collections.abc import Sequence

from bertsmith.checkpoints.crc32c import crc32c, masked
from bertsmith.checkpoints.protobuf import Malformed, read_varint, varint

CHECKSUM = 4  # bytes


def pack(texts: Sequence[bytes]) -> tuple[bytes, int]:
    """The bytes of some texts, and the checksum of the whole (not yet masked)."""
    checksum = _of_lengths([len(text) for text in texts])
    middle = masked(checksum).to_bytes(CHECKSUM, "little")
    content = b"".join(texts)
    return b"".join(varint(len(text)) for text in texts) + middle + content, crc32c(middle + content, checksum)


def unpack(raw: bytes, count: int) -> tuple[list[bytes], int]:
    """The texts in some bytes, and the checksum that the whole has (not yet masked).

    Args:
        raw: the bytes of the tensor.
        count: how many texts there are, at most as many as bytes.

    Raises:
        Malformed: the lengths do not add up to the bytes that are there.
    """
    lengths, place = [], 0
    for _ in range(count):
        length, place = read_varint(raw, place)
        lengths.append(length)
    start = place + CHECKSUM
    if start + sum(lengths) != len(raw):
        raise Malformed
    checksum = crc32c(raw[place:], _of_lengths(lengths))
    texts = []
    for length in lengths:
        texts.append(raw[start : start + length])
        start += length
    return texts, checksum


def _of_lengths(lengths: Sequence[int]) -> int:
    """The checksum of the lengths as fixed-width integers, although they are stored as varints."""
    return crc32c(b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths))
