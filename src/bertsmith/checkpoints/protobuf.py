"""The wire format of protocol buffers, as far as TensorFlow's checkpoints use it: numbers, and bytes of a known length.

A message is a row of fields; each begins with a number that holds the field's number and its kind. Integers are varints: seven bits a byte,
the lowest first, the highest bit of a byte set where another follows. Source: protobuf.dev, "Encoding".
"""

from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST = 10  # bytes of a varint of 64 bits


class Malformed(ValueError):
    """Bytes that are no message; whoever reads a file tells which."""


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits, and where the next byte stands.

    Raises:
        Malformed: the bytes end within it, or it is too long.
    """
    value = shift = 0
    for place in range(start, min(start + _LONGEST, len(data))):
        value |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:
            return value, place + 1
        shift += 7
    raise Malformed


def varint(value: int) -> bytes:
    """A number of at most 64 bits; a negative one as its two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> int:
    """What an unsigned number of 64 bits means as an `int64` or `int32` field."""
    return value - (1 << 64) if value >> 63 else value


def read_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message in their order: number, and value.

    Raises:
        Malformed: the bytes are no message.
    """
    place = 0
    while place < len(data):
        tag, place = read_varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = read_varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = read_varint(data, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise Malformed
        if place + size > len(data):
            raise Malformed
        content = data[place : place + size]
        yield number, content if kind == _BYTES else int.from_bytes(content, "little")
        place += size


def numbers(fields: list[tuple[int, int | bytes]], number: int) -> list[int]:
    """The values of a numeric field.

    Raises:
        Malformed: one of them is bytes.
    """
    return [_number(value) for found, value in fields if found == number]


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise Malformed
    return signed(value)


def messages(fields: list[tuple[int, int | bytes]], number: int) -> list[bytes]:
    """The values of a field of bytes: texts or messages.

    Raises:
        Malformed: one of them is a number.
    """
    return [_content(value) for found, value in fields if found == number]


def _content(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed
    return value


def number_field(number: int, value: int) -> bytes:
    """A field with an integer."""
    return varint(number << 3 | _VARINT) + varint(value)


def fixed_field(number: int, value: int) -> bytes:
    """A field with an unsigned integer in four bytes."""
    return varint(number << 3 | _FOUR_BYTES) + value.to_bytes(4, "little")


def bytes_field(number: int, content: bytes) -> bytes:
    """A field with bytes: a text or a message."""
    return varint(number << 3 | _BYTES) + varint(len(content)) + content
