"""What every long job leaves behind: a run folder with the settings and their origin, the log, states and the result.

RUN/
  run.json        the job, its settings (value and origin), data hashes, versions, machine
  log.jsonl       every logged value, one JSON object a line
  states/         training states, `step-00001234/`
  result.json     the page that the report is drawn from, and the plain numbers
  report.html     the page
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Protocol

from bertsmith.errors import RunFolderError
from bertsmith.files import ASIDE, sync, write_json
from bertsmith.machine import describe
from bertsmith.messages import Phrase, flag_of
from bertsmith.records.page import Page, from_json, to_json

Origin = Literal["default", "flag", "inferred", "measured", "plan"]
# a folder may be moved, a wish for exactness is no part of the run, states come and go without a trace in weights or log, and who
# looks at a run, or where it is computed, changes nothing of it
NO_IDENTITY = ("output", "allow_inexact", "save_every", "tracker", "cluster", "processes")
LOG = "log.jsonl"
RECORDED = ("bertsmith", "torch", "numpy", "tokenizers", "safetensors", "scikit-learn")


@dataclass(frozen=True)
class Setting:
    """The value of a setting and where it comes from."""

    value: Any
    origin: Origin = "default"


def settings_with_origin(settings: Any, given: Mapping[str, object]) -> dict[str, Setting]:
    """Every field of a settings dataclass; those in `given` came from the caller."""
    return {
        item.name: Setting(_plain(getattr(settings, item.name)), "flag" if item.name in given else "default")
        for item in dataclasses.fields(settings)
    }


@dataclass
class RunRecord:
    """Who ran what on which data with which versions; enough to repeat the run and to compare two."""

    job: str
    settings: dict[str, Setting]
    data: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=lambda: installed_versions())
    machine: dict[str, Any] = field(default_factory=describe)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def identity(self) -> dict[str, Any]:
        """What must agree for a run to go on: the job, the settings and the data; not the machine or the time."""
        settings = {name: setting.value for name, setting in self.settings.items() if name not in NO_IDENTITY}
        return {"job": self.job, "settings": settings, "data": self.data}

    def resolve(self, name: str, value: Any, origin: Origin) -> None:
        """Write down what a setting became at the start of the run."""
        self.settings[name] = Setting(_plain(value), origin)


def installed_versions() -> dict[str, str]:
    """Versions of the packages that decide a result."""
    found = {}
    for name in RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class Follower(Protocol):
    """Who is told what a run writes down, each time with the part of the run: empty, or such as `seeds/0`."""

    def begun(self, path: Path, record: RunRecord) -> None:
        """The run begins in a folder, or goes on there."""
        ...

    def logged(self, part: str, values: Mapping[str, Any]) -> None:
        """An object was logged."""
        ...

    def cut(self, part: str, lost: Sequence[Mapping[str, Any]]) -> None:
        """The run starts its steps; these objects were cut off the end of its log, because it goes on from before them."""
        ...

    def saved(self) -> None:
        """What was logged so far is on the disk, and will not be cut."""
        ...

    def finished(self, numbers: Mapping[str, Any]) -> None:
        """The result was written."""
        ...


class RunFolder:
    """The folder of one run.

    Args:
        path: the folder.
        followers: told what is written down, in their order.
        name: of the part of the run whose folder this is, empty for the run itself.
    """

    def __init__(self, path: Path, *followers: Follower, name: str = "") -> None:
        self.path, self._followers, self._name = path, followers, name

    def part(self, name: str) -> "RunFolder":
        """The folder of a part of the run, with a log and states of its own: `seeds/0`."""
        return RunFolder(self.path / name, *self._followers, name=name)

    def followed_by(self, follower: Follower) -> "RunFolder":
        """The same folder with one more follower."""
        return RunFolder(self.path, *self._followers, follower, name=self._name)

    @property
    def states(self) -> Path:
        """Where the training states stand."""
        return self.path / "states"

    def begin(self, record: RunRecord) -> bool:
        """Start the run, or go on with it.

        Returns:
            True where the folder already holds this very run.

        Raises:
            RunFolderError: the folder holds a different run, or something else.
        """
        self.check_place()
        existing = self.read_record()
        if existing is None:
            write_json(self.path / "run.json", _record_json(record))
        elif differences := _differences(existing.identity(), record.identity()):
            raise RunFolderError(
                "different-run",
                "the folder holds a different run: {differences}",
                where=self.path,
                do="choose another folder, or give the settings of the run that is there; nothing was touched",
                differences=Phrase("; ".join(one.en for one in differences), "；".join(one.zh for one in differences)),
            )
        for follower in self._followers:
            follower.begun(self.path, record)
        return existing is not None

    def read_record(self) -> RunRecord | None:
        """The record in the folder, None where there is none.

        Raises:
            RunFolderError: run.json is damaged.
        """
        path = self.path / "run.json"
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["settings"] = {name: Setting(**setting) for name, setting in values["settings"].items()}
            return RunRecord(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunFolderError(
                "damaged-run", "the record of the run cannot be read", where=path, do="choose another folder"
            ) from error

    def check_place(self) -> None:
        """Refuse a place where something else than a run stands; jobs ask this before any long work.

        Raises:
            RunFolderError: the folder holds other files, or it is a file.
        """
        if (self.path / "run.json").exists():
            return
        if self.path.is_dir() and any(not path.name.startswith(ASIDE) for path in self.path.iterdir()):
            raise RunFolderError(
                "not-a-run",
                "the folder is not empty and holds no run",
                where=self.path,
                do="choose another folder; nothing was touched",
            )
        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(
                "run-is-a-file",
                "this is a file, and a run needs a folder",
                where=self.path,
                do="choose another place; nothing was touched",
            )

    def log(self, values: Mapping[str, Any]) -> None:
        """Append one object to the log, and tell the followers."""
        with open(self.path / LOG, "a", encoding="utf-8") as file:
            file.write(json.dumps(values, ensure_ascii=False) + "\n")
        for follower in self._followers:
            follower.logged(self._name, values)

    def log_size(self) -> int:
        """Bytes in the log, all of them on the disk; a training state records it so that resuming cuts the log back to it."""
        for follower in self._followers:
            follower.saved()
        path = self.path / LOG
        if not path.exists():
            return 0
        sync(path)
        return path.stat().st_size

    def cut_log(self, size: int) -> None:
        """Forget what was logged after the log had `size` bytes, and tell the followers what that was."""
        path = self.path / LOG
        lost = list(_readable(_lines(path, size))) if path.exists() and self._followers else []
        if path.exists():
            os.truncate(path, size)
        for follower in self._followers:
            follower.cut(self._name, lost)

    def read_log(self) -> Iterator[dict[str, Any]]:
        """The logged objects in order; not the last one where it is only half written, by a run under way or a killed one.

        Raises:
            RunFolderError: a line is no such object; with its number.
        """
        path = self.path / LOG
        return _lines(path, 0) if path.exists() else iter(())

    def finish(self, numbers: Mapping[str, Any], page: Page) -> None:
        """Write the result, and tell the followers."""
        write_json(self.path / "result.json", {"numbers": numbers, "page": to_json(page)})
        for follower in self._followers:
            follower.finished(numbers)

    def read_result(self) -> tuple[dict[str, Any], Page] | None:
        """The plain numbers and the page of a finished run, None while it is not finished."""
        path = self.path / "result.json"
        if not path.exists():
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
        page: Page = from_json(values["page"])
        return values["numbers"], page


def _lines(path: Path, start: int) -> Iterator[dict[str, Any]]:
    """The objects of a log from byte `start`, which begins a line."""
    with open(path, "rb") as file:
        file.seek(start)
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                values = json.loads(line)
                if not isinstance(values, dict):
                    raise ValueError("no object")
            except ValueError as error:
                raise RunFolderError(
                    "damaged-log",
                    "the line is not what a run logs",
                    where=f"{path}:{number}" if start == 0 else path,
                    do="take the line out, or run the job again in another folder; nothing was touched",
                ) from error
            yield values


def _readable(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines before the first damaged one: what lies behind a training state was never synced, and is cut off whatever it is."""
    try:
        yield from lines
    except RunFolderError:
        return


def _record_json(record: RunRecord) -> dict[str, Any]:
    return dataclasses.asdict(record)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[Phrase]:
    """What tells two runs apart, by the flags; of data it is only told whose they are, for nobody compares hashes by eye."""
    if old["job"] != new["job"]:
        return [Phrase(f"{old['job']} → {new['job']}", f"{old['job']} → {new['job']}")]
    changed = {
        part: [name for name in sorted(old[part].keys() | new[part].keys()) if old[part].get(name) != new[part].get(name)]
        for part in ("settings", "data")
    }
    values = [
        f"{flag_of(name)} {_shown(old['settings'].get(name))} → {_shown(new['settings'].get(name))}"
        for name in changed["settings"]
    ]
    return [Phrase(value, value) for value in values] + [
        Phrase(f"other content of {flag_of(name)}", f"{flag_of(name)} 的内容不同") for name in changed["data"]
    ]


def _shown(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)


def _plain(value: Any) -> Any:
    """A setting's value as JSON has it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value
