"""Weight files: arrays in safetensors, one file or several with an index. Nothing here runs code out of a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bertsmith.checkpoints.json_objects import json_object
from bertsmith.checkpoints.names import Shape, shown
from bertsmith.errors import CheckpointError

Arrays = dict[str, NDArray[np.float32]]  # by our names
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_TENSORFLOW = (".h5", ".keras", ".index", ".meta", ".pb", ".msgpack")
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch.save's zip; bare pickles
POINTER_START = b"version https://git-lfs"
_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class StoredArray:
    """Where an array stands in a file: its shape is known before a byte of it is read."""

    file: Path
    kind: str  # of safetensors: F32, BF16, I64 …
    shape: Shape
    start: int  # byte of the file

    @property
    def is_float(self) -> bool:
        """Whether it holds floats, as weights do; counted-up positions and masks do not."""
        return self.kind in _KINDS

    def read(self) -> NDArray[np.float32]:
        """The array in fp32; fp16, bf16 and fp64 are converted.

        Raises:
            CheckpointError: it holds no floats.
        """
        if self.kind not in _KINDS:
            raise CheckpointError(
                "not-floats",
                "the weights are stored as {kind}",
                where=self.file,
                do="save the model in fp32, fp16 or bf16; quantized weights cannot be trained on",
                kind=self.kind,
            )
        count = int(np.prod(self.shape, dtype=np.int64))
        raw = np.fromfile(self.file, _KINDS[self.kind], count, offset=self.start)
        # bf16 is the upper half of fp32; numpy has no name for it
        values = (raw.astype("<u4") << np.uint32(16)).view("<f4") if self.kind == "BF16" else raw
        return in_fp32(values).reshape(self.shape)


def in_fp32(values: NDArray[Any], *, copy: bool = False) -> NDArray[np.float32]:
    """Values in fp32, row by row; those of fp64 that are too large become infinite, which `convert` and `inspect` tell."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, order="C", copy=copy)


def equal(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two arrays are copies of each other, of what is no number, too."""
    return np.array_equal(one, other) or np.array_equal(one, other, equal_nan=True)  # the second is many times slower


def keep(arrays: Arrays, name: str, values: NDArray[np.float32], file: Path) -> None:
    """Add an array to those of a file, which may hold it twice if both are the same.

    Raises:
        CheckpointError: it is there already, with other values.
    """
    if name in arrays and not equal(arrays[name], values):
        raise CheckpointError(
            "arrays-differ",
            "{name} is stored twice, with different values",
            where=file,
            do="save the model again with the program that wrote it",
            name=name,
        )
    arrays[name] = values


def find_weights(folder: Path) -> list[Path]:
    """The safetensors files of a folder: the single one, or all that the index names.

    Raises:
        CheckpointError: there are none, or only files of another kind, or the index is damaged or names absent files.
    """
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        return files_of_index(folder / INDEX)
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    pickles = [name for name in names if name.endswith(_PICKLES)]
    tensorflow = [name for name in names if name.endswith(_TENSORFLOW)]
    if pickles:
        raise pickled(folder, shown(pickles))
    if tensorflow:
        raise CheckpointError(
            "tensorflow-weights",
            "weights load from safetensors only; {names} is TensorFlow's or Flax's",
            where=folder,
            do="run `bertsmith convert {folder} NEW_FOLDER` once and give the new folder",
            folder=folder,
            names=shown(tensorflow),
        )
    raise CheckpointError(
        "no-weights",
        "there is no model.safetensors",
        where=folder,
        do="give the folder that holds config.json and model.safetensors",
    )


def pickled(where: Path, names: str) -> CheckpointError:
    """The error for weights in a pickle, which is a program and could do anything when it is loaded."""
    return CheckpointError(
        "pickled-weights",
        "weights load from safetensors only; {names} is a pickle, which can run code",
        where=where,
        do="run `bertsmith convert {place} NEW_FOLDER` once, which opens it in a process of its own without executing code, and give the "
        "new folder",
        place=where,
        names=names,
    )


def is_pickle(file: Path) -> bool:
    """Whether a file is a pickle by its name or its first bytes."""
    with open(file, "rb") as opened:
        return file.suffix in _PICKLES or opened.read(4).startswith(_PICKLE_STARTS)


def files_of_index(index: Path) -> list[Path]:
    """The files that an index maps arrays to; all lie beside it.

    Raises:
        CheckpointError: the index is damaged, or names absent files, or files elsewhere.
    """
    try:
        names = sorted(set(json_object(index.read_bytes())["weight_map"].values()))
        outside = [name for name in names if Path(name).name != name]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged_index(index) from error
    if outside or not names:
        raise _damaged_index(index)
    absent = [name for name in names if not (index.parent / name).is_file()]
    if absent:
        raise CheckpointError(
            "missing-shards",
            "the index names {count} files that are not there: {names}",
            where=index,
            do="copy the whole folder again",
            count=len(absent),
            names=shown(absent),
        )
    return [index.parent / name for name in names]


def _damaged_index(index: Path) -> CheckpointError:
    return CheckpointError(
        "damaged-index",
        "the index of the weight files cannot be read",
        where=index,
        do="copy the whole folder again; each array must map to a file of this folder",
    )


def stored_arrays(file: Path) -> dict[str, StoredArray]:
    """The arrays of a safetensors file by name, in its order; only the header is read.

    Raises:
        CheckpointError: the file is truncated or damaged, a pickle under a false name, or a pointer to a file elsewhere.
    """
    try:
        with safe_open(file, "numpy"):  # the library checks the header against the size of the file
            pass
        with open(file, "rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            header = json_object(opened.read(size))
    except (SafetensorError, ValueError) as error:
        raise _unreadable(file, str(error)) from error
    header.pop("__metadata__", None)
    return {
        name: StoredArray(file, entry["dtype"], tuple(entry["shape"]), 8 + size + entry["data_offsets"][0])
        for name, entry in header.items()
    }


def _unreadable(file: Path, reason: str) -> CheckpointError:
    if is_pickle(file):
        return pickled(file, file.name)
    with open(file, "rb") as opened:
        if opened.read(len(POINTER_START)) == POINTER_START:
            return pointer_file(file)
    return CheckpointError(
        "damaged-weights",
        "the file is truncated or damaged ({size} bytes): {reason}",
        where=file,
        do="copy or download it again",
        size=file.stat().st_size,
        reason=reason,
    )


def pointer_file(file: Path) -> CheckpointError:
    """The error for a file of Git LFS that only says where the weights are."""
    return CheckpointError(
        "pointer-file",
        "this is a pointer of Git LFS, not the weights themselves",
        where=file,
        do="run `git lfs pull` in the folder, or download the file itself",
    )


def write_arrays(file: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write fp32 arrays as one safetensors file.

    Written here, array by array, because the library's writer holds the whole model once more in memory and hides a full
    disk behind an error of its own.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}  # transformers refuses files that do not say it
    end = 0
    for name, array in sorted(arrays.items()):
        start, end = end, end + 4 * array.size
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data begin at a multiple of 8
    with open(file, "wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        for _, array in sorted(arrays.items()):
            opened.write(np.ascontiguousarray(array, "<f4").data)
