"""Pickles (`pytorch_model.bin`): made into safetensors by a process of its own, and never opened in this one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bertsmith.checkpoints import unpickle
from bertsmith.checkpoints.weights import POINTER_START, StoredArray, files_of_index, pointer_file, stored_arrays
from bertsmith.errors import CheckpointError
from bertsmith.machine import bare_environment

SINGLE, INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"


def find_pickles(folder: Path) -> list[Path]:
    """The pickles of a folder: the single one, or all that the index names; none where there is none.

    Raises:
        CheckpointError: the index is damaged, names absent files, or files outside of the folder.
    """
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if not (folder / INDEX).is_file():
        return []
    return files_of_index(folder / INDEX)


@contextmanager
def unpickled(files: list[Path]) -> Iterator[dict[str, StoredArray]]:
    """The arrays of some pickles, as long as the context lasts; they lie in a temporary folder.

    Raises:
        CheckpointError: a file is damaged, holds no tensors, or holds something else than tensors, which may be code.
    """
    with TemporaryDirectory(prefix="bertsmith-") as place:
        arrays: dict[str, StoredArray] = {}
        for number, file in enumerate(files):
            target = Path(place) / f"{number}.safetensors"
            _unpickle(file, target)
            arrays |= stored_arrays(target)
        if not arrays:
            raise CheckpointError(
                "no-tensors",
                "the pickle holds no named tensors",
                where=files[0],
                do="give the file that torch.save(model.state_dict(), …) wrote",
            )
        yield arrays


def _unpickle(file: Path, target: Path) -> None:
    with open(file, "rb") as opened:
        if opened.read(len(POINTER_START)) == POINTER_START:
            raise pointer_file(file)
    # -I: neither the current folder nor variables of the environment decide what is imported
    command = [sys.executable, "-I", unpickle.__file__, str(file.resolve()), str(target)]
    run = subprocess.run(command, env=bare_environment(), capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return
    reason = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit code {run.returncode}"
    if run.returncode == unpickle.REFUSED:
        raise CheckpointError(
            "pickle-refused",
            "the pickle holds more than tensors, and nothing of it was executed: {reason}",
            where=file,
            do="take a safetensors file of this model; a pickle that needs code to be loaded is not opened here",
            reason=reason,
        )
    raise CheckpointError(
        "pickle-unreadable",
        "the pickle cannot be read: {reason}",
        where=file,
        do="copy or download it again; formats older than PyTorch 1.0 need the PyTorch that wrote them",
        reason=reason,
    )
