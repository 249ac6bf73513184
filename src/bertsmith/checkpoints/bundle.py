"""TensorFlow's tensor bundles (checkpoint format V2), read without TensorFlow.

PREFIX.index                  a sorted table: name → type, shape, shard, place, size and checksum of a tensor
PREFIX.data-00000-of-0000N    the tensors' bytes, end to end

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.h and tensorflow/core/protobuf/tensor_bundle.proto.
"""

import glob
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.bundle_texts import CHECKSUM, unpack
from bertsmith.checkpoints.crc32c import crc32c, masked
from bertsmith.checkpoints.names import Shape, shown
from bertsmith.checkpoints.protobuf import Malformed, messages, numbers, read_fields
from bertsmith.checkpoints.sorted_table import damaged, is_table, read_table
from bertsmith.errors import CheckpointError
from bertsmith.messages import Phrase

# types.proto: the number of a type → its name, and how numpy sees the bytes
TYPES = {
    1: ("float32", "<f4"),
    2: ("float64", "<f8"),
    3: ("int32", "<i4"),
    4: ("uint8", "<u1"),
    5: ("int16", "<i2"),
    6: ("int8", "<i1"),
    9: ("int64", "<i8"),
    10: ("bool", "|b1"),
    14: ("bfloat16", "<u2"),
    17: ("uint16", "<u2"),
    19: ("float16", "<f2"),
    22: ("uint32", "<u4"),
    23: ("uint64", "<u8"),
}
KINDS = dict(TYPES.values())
STRING = 7
_BIG_ENDIAN = 1
_MOST_AXES, _MOST_ELEMENTS = 64, 1 << 60  # numpy's bounds
_SLICE = b"\0"  # begins the names of the slices of a partitioned variable

_NO_HEADER = Phrase("it has no header", "缺少文件头")
_BAD_ENTRY = Phrase("an entry cannot be read", "有条目无法解读")


@dataclass(frozen=True)
class Entry:
    """Where a tensor stands: known from the index before a byte of the tensor is read."""

    type: str  # numpy's name, bfloat16, string, or `type N` of types.proto for what is not read
    shape: Shape
    shard: int
    offset: int  # byte of the shard
    size: int  # bytes
    checksum: int
    sliced: bool  # the values stand in slices elsewhere


@dataclass(frozen=True)
class Index:
    """The content of PREFIX.index."""

    prefix: Path
    shards: int
    entries: dict[str, Entry]

    @property
    def file(self) -> Path:
        """The file that it was read from."""
        return index_file(self.prefix)

    def shard_file(self, number: int) -> Path:
        """The data file with this number."""
        return data_file(self.prefix, number, self.shards)


def index_file(prefix: Path) -> Path:
    """PREFIX.index."""
    return prefix.with_name(f"{prefix.name}.index")


def data_file(prefix: Path, number: int, shards: int) -> Path:
    """PREFIX.data-00000-of-0000N."""
    return prefix.with_name(f"{prefix.name}.data-{number:05d}-of-{shards:05d}")


def read_index(prefix: Path) -> Index:
    """Names, shapes and places of all tensors, from the index alone.

    Args:
        prefix: the path without `.index`.

    Raises:
        CheckpointError: there is no index, it is damaged, of the old format V1, compressed or big-endian, or its entries
            contradict themselves.
    """
    file = index_file(prefix)
    if not file.is_file():
        raise _no_index(prefix)
    rows = read_table(file)
    if not rows or rows[0][0]:
        raise damaged(file, _NO_HEADER)
    try:
        shards = _shards(rows[0][1], file)
        entries = {key.decode(): _entry(value) for key, value in rows[1:] if not key.startswith(_SLICE)}
    except ValueError as error:
        raise damaged(file, _BAD_ENTRY) from error
    _check_entries(entries, shards, file)
    return Index(prefix, shards, entries)


def _no_index(prefix: Path) -> CheckpointError:
    older = [prefix, *sorted(prefix.parent.glob(f"{glob.escape(prefix.name)}-?????-of-?????"))]
    for file in older:
        if file.is_file() and is_table(file):
            return CheckpointError(
                "tensorflow-v1-checkpoint",
                "this is a checkpoint of the old format V1, which TensorFlow wrote up to 0.11",
                where=file,
                do="convert it once with TensorFlow: restore it with tf.compat.v1.train.Saver and save it with write_version=2",
            )
    return CheckpointError(
        "tensorflow-no-index",
        "there is no {index}",
        where=prefix,
        do="give the beginning of the names that the checkpoint's files share, such as bert_model.ckpt, and put its .index beside its data",
        index=index_file(prefix).name,
    )


def _shards(header: bytes, file: Path) -> int:
    """The number of data files."""
    fields = list(read_fields(header))
    if numbers(fields, 2)[-1:] == [_BIG_ENDIAN]:
        raise CheckpointError(
            "tensorflow-big-endian",
            "the checkpoint was written on a big-endian machine",
            where=file,
            do="open it with TensorFlow on that machine, save the weights as numpy arrays, and write them again on this one",
        )
    return (numbers(fields, 1) or [0])[-1]


def _entry(content: bytes) -> Entry:
    fields = list(read_fields(content))
    number = (numbers(fields, 1) or [0])[-1]
    name = "string" if number == STRING else TYPES.get(number, (f"type {number}", ""))[0]
    dims = [messages(list(read_fields(shape)), 2) for shape in messages(fields, 2)[-1:]]
    shape = tuple((numbers(list(read_fields(dim)), 1) or [0])[-1] for found in dims for dim in found)
    shard, offset, size, checksum = ((numbers(fields, field) or [0])[-1] for field in (3, 4, 5, 6))
    return Entry(name, shape, shard, offset, size, checksum, bool(messages(fields, 7)))


def _check_entries(entries: Mapping[str, Entry], shards: int, file: Path) -> None:
    """Sizes that do not fit their shapes, and places that overlap, are lies, told before anything is allocated."""
    whole = {name: entry for name, entry in entries.items() if not entry.sliced}
    lying = [name for name, entry in whole.items() if not (_possible(entry) and 0 <= entry.shard < shards)]
    if not lying:
        in_order = sorted((entry.shard, entry.offset, entry.size, name) for name, entry in whole.items() if entry.size)
        lying = [
            name
            for (shard, offset, size, _), (other, start, _, name) in itertools.pairwise(in_order)
            if shard == other and start < offset + size
        ]
    if lying:
        raise CheckpointError(
            "tensorflow-false-entries",
            "{count} entries of the index contradict themselves, in size, shape or place: {names}",
            where=file,
            do="copy or download the checkpoint again",
            count=len(lying),
            names=shown(lying),
        )


def _possible(entry: Entry) -> bool:
    shape = entry.shape
    if min((entry.offset, entry.size, *shape)) < 0 or len(shape) > _MOST_AXES:
        return False
    if math.prod(max(length, 1) for length in shape) > _MOST_ELEMENTS:
        return False
    count = math.prod(shape)
    if entry.type in KINDS:
        return entry.size == count * np.dtype(KINDS[entry.type]).itemsize
    return entry.type != "string" or entry.size >= count + CHECKSUM


class Bundle:
    """A checkpoint that is open: its index read, its data files there and long enough, mapped into memory."""

    def __init__(self, index: Index, shards: Mapping[int, NDArray[np.uint8]]) -> None:
        self.index = index
        self._shards = shards

    @classmethod
    def open(cls, prefix: Path) -> Self:
        """Read the index, and map the data files that it names.

        Raises:
            CheckpointError: as `read_index`, or data files are missing or too short.
        """
        index = read_index(prefix)
        used = sorted({entry.shard for entry in index.entries.values() if not entry.sliced})
        _check_shards(index, used)
        _check_lengths(index)
        return cls(index, {number: _mapped(index.shard_file(number)) for number in used})

    @property
    def entries(self) -> Mapping[str, Entry]:
        """What the index says of each tensor, by name."""
        return self.index.entries

    def read(self, name: str) -> NDArray[Any]:
        """A tensor, its checksum checked.

        Returns:
            a read-only view of the mapped file, which need not be aligned; fp32 where bf16 was stored, as numpy has no bf16; bytes in an
            array of objects where texts were stored.

        Raises:
            CheckpointError: the checksum is wrong, the variable is partitioned, or its type is none that we read.
            KeyError: there is no tensor of that name.
        """
        entry = self.entries[name]
        if entry.sliced:
            raise CheckpointError(
                "tensorflow-partitioned",
                "{name} was cut into slices by a partitioner, which bertsmith does not put together",
                where=self.index.file,
                do="restore the model in TensorFlow without the partitioner, and save it again",
                name=name,
            )
        raw = self._shards[entry.shard][entry.offset : entry.offset + entry.size]
        if entry.type == "string":
            return self._texts(name, raw.tobytes())
        if entry.type not in KINDS:
            raise CheckpointError(
                "tensorflow-other-type",
                "{name} is stored as {kind} of TensorFlow's types.proto, which no weight of a BERT is",
                where=self.index.file,
                do="save the checkpoint again without this variable",
                name=name,
                kind=entry.type,
            )
        self._check(name, crc32c(raw))
        array = raw.view(KINDS[entry.type]).reshape(entry.shape)
        # bf16 is the upper half of fp32
        return (array.astype("<u4") << np.uint32(16)).view("<f4") if entry.type == "bfloat16" else array

    def _texts(self, name: str, raw: bytes) -> NDArray[Any]:
        shape = self.entries[name].shape
        try:
            texts, checksum = unpack(raw, math.prod(shape))
        except Malformed as error:
            raise self._wrong(name) from error
        self._check(name, checksum)
        found = np.empty(len(texts), object)
        found[:] = texts
        return found.reshape(shape)

    def _check(self, name: str, checksum: int) -> None:
        if masked(checksum) != self.entries[name].checksum:
            raise self._wrong(name)

    def _wrong(self, name: str) -> CheckpointError:
        return CheckpointError(
            "tensorflow-wrong-checksum",
            "the bytes of {name} do not have the checksum that the index gives",
            where=self.index.shard_file(self.entries[name].shard),
            do="copy or download the checkpoint again",
            name=name,
        )


def _check_shards(index: Index, used: list[int]) -> None:
    absent = [index.shard_file(number).name for number in used if not index.shard_file(number).is_file()]
    if absent and len(absent) == len(used):
        raise CheckpointError(
            "tensorflow-index-alone",
            "the index is there without its data: {names}",
            where=index.file,
            do="copy the data files beside it; the weights stand in them",
            names=shown(absent),
        )
    if absent:
        raise CheckpointError(
            "tensorflow-missing-shards",
            "{count} data files of the checkpoint are missing: {names}",
            where=index.file,
            do="copy the whole checkpoint again; all its files begin alike",
            count=len(absent),
            names=shown(absent),
        )


def _check_lengths(index: Index) -> None:
    faults = []
    ends: dict[int, list[str]] = {}
    sizes: dict[int, int] = {}
    for name, entry in index.entries.items():
        if entry.sliced:
            continue
        if entry.shard not in sizes:
            sizes[entry.shard] = index.shard_file(entry.shard).stat().st_size
        if entry.offset + entry.size > sizes[entry.shard]:
            ends.setdefault(entry.shard, []).append(name)
    for shard, names in ends.items():
        faults.append(
            CheckpointError(
                "tensorflow-truncated-shard",
                "the file ends after {size} bytes, before {count} tensors that the index places there: {names}",
                where=index.shard_file(shard),
                do="copy or download the file again",
                size=sizes[shard],
                count=len(names),
                names=shown(names),
            )
        )
    if faults:
        raise CheckpointError.all_of(faults)


def _mapped(file: Path) -> NDArray[np.uint8]:
    if not file.stat().st_size:  # an empty file cannot be mapped; a checkpoint of empty tensors has one
        return np.empty(0, np.uint8)
    return np.memmap(file, np.uint8, "r").view(np.ndarray)
