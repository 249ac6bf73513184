"""Writing TensorFlow's tensor bundles: one data file, and the index that names what stands in it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.bundle import STRING, TYPES, data_file, index_file
from bertsmith.checkpoints.bundle_texts import pack
from bertsmith.checkpoints.crc32c import crc32c, masked
from bertsmith.checkpoints.names import Shape
from bertsmith.checkpoints.protobuf import bytes_field, fixed_field, number_field
from bertsmith.checkpoints.sorted_table import write_table
from bertsmith.files import write_aside

_NUMBERS = {name: number for number, (name, _) in TYPES.items() if name != "bfloat16"}  # numpy has no bf16
_HEADER = number_field(1, 1) + bytes_field(3, number_field(1, 1))  # one shard, of the bundle format's version 1


def write_bundle(prefix: Path, tensors: Mapping[str, NDArray[Any]] | Mapping[str, NDArray[Any] | bytes]) -> None:
    """Write tensors as a checkpoint with one data file; an older one takes its leave only when the new one is on the disk.

    A tensor at a time is copied, so views that are transposed or cut cost no more memory than the largest of them.

    Args:
        prefix: the path without `.index`.
        tensors: arrays of any type in `TYPES` but bf16, or a text.

    Raises:
        MachineError: the disk is full or the place may not be written.
        KeyError: an array has another type.
    """
    with write_aside(index_file(prefix), "wb") as index, write_aside(data_file(prefix, 0, 1), "wb") as data:
        rows, offset = [(b"", _HEADER)], 0
        for key, name in sorted((name.encode(), name) for name in tensors):
            row, size = _write_tensor(data, tensors[name], offset)
            rows.append((key, row))
            offset += size
        write_table(index, rows)
        # the index is on the disk before the data take their place, so that a full disk leaves the older pair whole
        index.flush()
        os.fsync(index.fileno())


def _write_tensor(data: IO[bytes], tensor: NDArray[Any] | bytes, offset: int) -> tuple[bytes, int]:
    """Append a tensor to the data file; returns its entry and its size."""
    shape: Shape = ()
    if isinstance(tensor, bytes):
        number = STRING
        raw, checksum = pack([tensor])
        data.write(raw)
        size = len(raw)
    else:
        number, shape = _NUMBERS[tensor.dtype.name], tensor.shape
        contiguous = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<"))
        data.write(contiguous.data)
        checksum, size = crc32c(contiguous), contiguous.nbytes
    dims = b"".join(bytes_field(2, number_field(1, length)) for length in shape)
    entry = number_field(1, number) + bytes_field(2, dims) + number_field(4, offset) + number_field(5, size)
    return entry + fixed_field(6, masked(checksum)), size
