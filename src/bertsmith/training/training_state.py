"""A training state: everything that a run needs to go on with the same bits, in a folder that is whole or not there.

states/step-00001500/
  manifest.json          step, bytes of the log, layout of the parameters, size of the file, facts of the loop (plans, time spent)
  state.safetensors      weights, moments, step count
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bertsmith.checkpoints.weights import write_arrays
from bertsmith.errors import RunFolderError
from bertsmith.files import ASIDE, json_text, write_folder_aside
from bertsmith.progress import Listener, warning

KEPT = 2  # the newest, and the one before it in case the newest cannot be read
_TENSORS, _MANIFEST = "state.safetensors", "manifest.json"


@dataclass(frozen=True)
class TrainingState:
    """Where a run stood behind `step` steps."""

    step: int
    log_size: int
    layout: list[dict[str, list[int]]]
    tensors: dict[str, Tensor]
    facts: dict[str, Any] = field(default_factory=dict)


def save_state(folder: Path, state: TrainingState) -> None:
    """Write a state aside and rename it, then drop all but the newest two.

    Raises:
        MachineError: the disk is full; the states before it are unharmed.
    """
    with write_folder_aside(folder / _name(state.step)) as place:
        write_arrays(place / _TENSORS, {name: tensor.cpu().numpy() for name, tensor in state.tensors.items()})
        size = (place / _TENSORS).stat().st_size
        places = {"step": state.step, "log_size": state.log_size}
        manifest = places | {"layout": state.layout, "size": size, "facts": state.facts}
        (place / _MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    for old in _folders(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def newest_state(folder: Path, layout: list[dict[str, list[int]]], listen: Listener) -> TrainingState | None:
    """The newest complete state, None where there is none; what a kill left unfinished is removed.

    Raises:
        RunFolderError: the state is of a network of another shape.
    """
    for rest in folder.glob(f"{ASIDE}*"):
        shutil.rmtree(rest, ignore_errors=True)
    for path in reversed(_folders(folder)):
        try:
            manifest: dict[str, Any] = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
            if (path / _TENSORS).stat().st_size != manifest["size"]:
                raise ValueError("size")
            places = (manifest["step"], manifest["log_size"], manifest["layout"])
            state = TrainingState(*places, load_file(path / _TENSORS), manifest.get("facts", {}))
        except (OSError, ValueError, TypeError, KeyError, SafetensorError):
            listen(warning("state-unreadable", "the training state {path} is damaged and is passed over", path=path.name))
            continue
        if state.layout != layout:
            raise RunFolderError(
                "state-of-another-network",
                "the training state is of a network of another shape",
                where=path,
                do="choose another run folder; nothing was touched",
            )
        return state
    return None


def drop_states(folder: Path) -> None:
    """Remove all states of a finished run."""
    shutil.rmtree(folder, ignore_errors=True)


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))
