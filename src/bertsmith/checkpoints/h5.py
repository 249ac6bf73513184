"""HDF5 files: every array of a file by its path, read by h5py (extra `keras`) without following a link out of the file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.errors import CheckpointError, MachineError

_RATIO = 200  # weights do not shrink that much when they are packed; assumed


def _h5py() -> Any:
    """The library.

    Raises:
        MachineError: it is not installed.
    """
    try:
        import h5py  # type: ignore[import-untyped,import-not-found,unused-ignore]  # here, because it is an extra
    except ImportError as error:
        raise MachineError(
            "no-h5py",
            "files of Keras are read and written by h5py, which is not installed",
            do="pip install 'bertsmith[keras]'",
        ) from error
    return h5py


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    h5py = _h5py()
    try:
        with h5py.File(file, "r") as opened:
            yield opened
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise CheckpointError(
            "damaged-h5",
            "the file is truncated, damaged, or no HDF5: {reason}",
            where=file,
            do="copy or download it again",
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error


def read_h5(file: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Every array of a file by its path, and the name that Keras gave to each group which has one.

    Raises:
        CheckpointError: damaged, or a link or an array that lies outside of the file.
        MachineError: h5py is not installed.
    """
    arrays: dict[str, NDArray[Any]] = {}
    names: dict[str, str] = {}
    with _opened(file) as opened:
        for path, group in _walk(_h5py(), opened, "", file, set()):
            if hasattr(group, "shape"):
                arrays[path] = np.asarray(group[()])
            elif path.rpartition("/")[2] == "vars" and "name" in group.attrs:
                names[path.removesuffix("vars").rstrip("/")] = str(group.attrs["name"])
    return arrays, names


def _walk(h5py: Any, group: Any, path: str, file: Path, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Every group and array below a group; only hard links are followed, each group once."""
    for name in group:
        place = f"{path}/{name}" if path else name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _outside(file, place)
        item = group[name]
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual or item.nbytes > _RATIO * item.id.get_storage_size() + 2**20:
                raise _outside(file, place)
            yield place, item
        elif isinstance(item, h5py.Group):
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:  # the same group at two places may stand in itself
                raise _outside(file, place)
            seen.add(address)
            yield place, item
            yield from _walk(h5py, item, place, file, seen)


def check_floats(place: str, array: NDArray[Any], file: Path) -> None:
    """Refuse an array of weights that holds no floats.

    Raises:
        CheckpointError: it does not.
    """
    if array.dtype.kind != "f":
        raise CheckpointError(
            "not-floats",
            "the weights are stored as {kind}",
            where=f"{file}: {place}",
            do="save the model in fp32, fp16 or bf16; quantized weights cannot be trained on",
            kind=str(array.dtype),
        )


def _outside(file: Path, place: str) -> CheckpointError:
    return CheckpointError(
        "h5-link",
        "{place} is a link, or is larger than what the file holds of it; a file of weights needs neither",
        where=file,
        do="take the file from where the model comes from; do not open this one elsewhere",
        place=place,
    )


def write_h5(
    file: Path,
    arrays: Mapping[str, NDArray[np.float32]],
    names: Mapping[str, str] | None = None,
    lists: Mapping[str, Mapping[str, list[str]]] | None = None,
) -> None:
    """Write arrays by their paths.

    Args:
        file: the place.
        arrays: path → array.
        names: group → the name that Keras looks for in its `vars`.
        lists: group (`/` for the file itself) → attribute → texts, as Keras 2 lists its layers and weights.

    Raises:
        MachineError: h5py is not installed.
        OSError: the disk is full.
    """
    h5py = _h5py()
    # through a file of Python's: when the disk is full while HDF5 closes a file that it opened itself, the interpreter crashes
    with open(file, "w+b") as place, h5py.File(place, "w") as opened:
        for path, array in arrays.items():
            opened.create_dataset(path, data=array)
        for group, name in (names or {}).items():
            opened.require_group(f"{group}/vars" if group else "vars").attrs["name"] = name
        for group, attributes in (lists or {}).items():
            for attribute, texts in attributes.items():
                opened.require_group(group).attrs[attribute] = np.array([text.encode() for text in texts], "S")
