"""Sorted tables of keys and values, as LevelDB writes them: TensorFlow keeps the index of a checkpoint in one.

A file is data blocks, a block without content for extensions, a block that names the last key and the place of each data block, and a footer of
48 bytes. Within a block a key is stored without the beginning that it shares with the key before. Behind each block stand its kind of
compression and a checksum. Source: LevelDB, doc/table_format.md.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from bertsmith.checkpoints.crc32c import crc32c, masked
from bertsmith.checkpoints.protobuf import Malformed, read_varint, varint
from bertsmith.errors import CheckpointError
from bertsmith.messages import Phrase

MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER, _TRAILER = 48, 5  # bytes
_PLAIN, _SNAPPY = 0, 1
_BLOCK = 1 << 18  # bytes of a data block, as TensorFlow's writer has it
_RESTART = 16  # a whole key is stored so often; LevelDB's default
# All keys together. A key may share its beginning with the one before, so a small file can name far more than it holds;
# a BERT's names take under 100 kB (24 layers with slots), and a thousand times that is assumed to be an attack.
_MOST_KEY_BYTES = 1 << 26
_POINTER_START = b"version https://git-lfs"
_Row = tuple[bytes, bytes]

_TOO_SHORT = Phrase("it is too short to be one", "文件过短")
_OTHER_END = Phrase("it does not end like one", "文件结尾不符")
_BAD_PLACE = Phrase("a block lies outside the file", "有数据块位于文件之外")
_BAD_SUM = Phrase("the checksum of a block is wrong", "有数据块的校验和不符")
_BAD_BLOCK = Phrase("a block cannot be read", "有数据块无法解读")
_BAD_ORDER = Phrase("its names are not in order", "名称未按顺序排列")
_TOO_MANY = Phrase("its names are too long together", "名称总长超出限度")


def damaged(file: Path, reason: Phrase) -> CheckpointError:
    """The error for an index that TensorFlow cannot have written."""
    return CheckpointError(
        "tensorflow-damaged-index",
        "this is no whole index of a TensorFlow checkpoint: {reason}",
        where=file,
        do="copy or download the checkpoint again",
        reason=reason,
    )


def is_table(file: Path) -> bool:
    """Whether a file ends as a table does."""
    with open(file, "rb") as opened:
        if opened.seek(0, 2) < _FOOTER:
            return False
        opened.seek(-len(MAGIC), 2)
        return opened.read() == MAGIC


def read_table(file: Path) -> list[_Row]:
    """All keys and values, in order of the keys; checksums are checked.

    Raises:
        CheckpointError: the file is damaged, compressed, or a pointer to a file elsewhere.
    """
    if not is_table(file):
        with open(file, "rb") as opened:
            start, size = opened.read(len(_POINTER_START)), opened.seek(0, 2)
        if start == _POINTER_START:
            raise CheckpointError(
                "pointer-file",
                "this is a pointer of Git LFS, not the weights themselves",
                where=file,
                do="run `git lfs pull` in the folder, or download the file itself",
            )
        raise damaged(file, _TOO_SHORT if size < _FOOTER else _OTHER_END)
    data = file.read_bytes()
    try:
        return _rows(data, file)
    except Malformed as error:
        raise damaged(file, _BAD_BLOCK) from error


def _rows(data: bytes, file: Path) -> list[_Row]:
    offset, size, place = _handle(data, len(data) - _FOOTER)
    _block(data, offset, size, file)  # the block for extensions is only checked
    offset, size, _ = _handle(data, place)
    rows: list[_Row] = []
    end = length = 0
    for _, handle in _entries(_block(data, offset, size, file)):
        offset, size, _ = _handle(handle, 0)
        block = _block(data, offset, size, file)
        if offset < end:
            raise damaged(file, _BAD_ORDER)  # blocks that overlapped would let a small file be read many times
        end = offset + size
        for key, value in _entries(block):
            length += len(key)
            if length > _MOST_KEY_BYTES:
                raise damaged(file, _TOO_MANY)
            if rows and key <= rows[-1][0]:
                raise damaged(file, _BAD_ORDER)
            rows.append((key, value))
    return rows


def _handle(data: bytes, place: int) -> tuple[int, int, int]:
    """Offset and size of a block, and where the next byte stands."""
    offset, place = read_varint(data, place)
    size, place = read_varint(data, place)
    return offset, size, place


def _block(data: bytes, offset: int, size: int, file: Path) -> bytes:
    if offset + size + _TRAILER > len(data) - _FOOTER:
        raise damaged(file, _BAD_PLACE)
    end = offset + size
    if masked(crc32c(memoryview(data)[offset : end + 1])) != int.from_bytes(data[end + 1 : end + _TRAILER], "little"):
        raise damaged(file, _BAD_SUM)
    if data[end] == _SNAPPY:
        raise CheckpointError(
            "tensorflow-compressed-index",
            "the index is compressed with Snappy, which bertsmith does not read",
            where=file,
            do="open the checkpoint with the TensorFlow that wrote it, and save it again with tf.train.Saver",
        )
    if data[end] != _PLAIN:
        raise Malformed
    return data[offset:end]


def _entries(block: bytes) -> Iterator[_Row]:
    """Keys and values of a block."""
    if len(block) < 4:
        raise Malformed
    end = len(block) - 4 * (
        1 + int.from_bytes(block[-4:], "little")
    )  # behind the entries: the places of whole keys, and their count
    place, key = 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        added, place = read_varint(block, place)
        size, place = read_varint(block, place)
        if shared > len(key) or place + added + size > end:
            raise Malformed
        key = key[:shared] + block[place : place + added]
        place += added
        yield key, block[place : place + size]
        place += size


def write_table(file: IO[bytes], rows: Sequence[_Row]) -> None:
    """Write keys and values, sorted by key, as a table without compression."""
    offset, index = 0, []
    for block_rows in _blocks(rows):
        handle = varint(offset) + varint(size := _write_block(file, block_rows, _RESTART))
        index.append((block_rows[-1][0], handle))
        offset += size + _TRAILER
    extensions = varint(offset) + varint(size := _write_block(file, [], 1))
    offset += size + _TRAILER
    handles = extensions + varint(offset) + varint(_write_block(file, index, 1))
    file.write(handles.ljust(_FOOTER - len(MAGIC), b"\0") + MAGIC)


def _blocks(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    start = size = 0
    for number, (key, value) in enumerate(rows):
        size += len(key) + len(value)
        if size > _BLOCK:
            yield rows[start : number + 1]
            start, size = number + 1, 0
    if start < len(rows):
        yield rows[start:]


def _write_block(file: IO[bytes], rows: Sequence[_Row], interval: int) -> int:
    """Write a block and its trailer; returns its size without the trailer."""
    block, whole, before = bytearray(), [], b""
    for number, (key, value) in enumerate(rows):
        shared = 0
        if number % interval:
            shared = _shared(before, key)
        else:
            whole.append(len(block))
        block += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    for place in whole or [0]:
        block += place.to_bytes(4, "little")
    block += len(whole or [0]).to_bytes(4, "little")
    checked = bytes(block) + bytes([_PLAIN])
    file.write(checked + masked(crc32c(checked)).to_bytes(4, "little"))
    return len(block)


def _shared(before: bytes, key: bytes) -> int:
    """How many bytes at the beginning are the same."""
    longest = min(len(before), len(key))
    return next((place for place in range(longest) if before[place] != key[place]), longest)
