"""Hands what a run writes down to its trackers.

RUN/trackers.json keeps the identity of each tracker's run, with the last step of each kind of line that was cut off the log when the run
went on from a training state. A tracker that fails gets nothing more of the run, and the run goes on: `log.jsonl` has everything.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bertsmith.errors import Interrupted, MachineError
from bertsmith.files import write_json
from bertsmith.progress import Listener, warning
from bertsmith.records.page import from_json
from bertsmith.records.run import LOG, RunFolder, RunRecord
from bertsmith.records.scores import Score
from bertsmith.records.trackers import TRACKERS, End, Entry, Opening, Tracker

_KNOWN = "trackers.json"
# a lost server holds a run up for seconds, not for the minutes that MLflow would try; assumed
_PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING", "WANDB_ERROR_REPORTING": "false"}


class Tracking:
    """Hands what a run folder logs to the trackers that were asked for; a context that closes them, also after an error.

    Args:
        names: of the trackers, those of `TRACKERS`.
        listen: told once of each tracker that fails.

    Raises:
        MachineError: a tracker is not installed.
    """

    def __init__(self, names: Sequence[str], listen: Listener) -> None:
        _require(names)
        self._names, self._listen = names, listen
        self._path = Path()
        self._record: RunRecord | None = None
        self._running: dict[str, Tracker] | None = None
        self._known: dict[str, dict[str, Any]] = {}
        self._step, self._end = 0, End.KILLED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._end = End.KILLED if isinstance(error, (Interrupted, KeyboardInterrupt)) else End.FAILED
        self._each(lambda _, tracker: tracker.finish(self._end))

    def begun(self, path: Path, record: RunRecord) -> None:
        """The run begins, or goes on."""
        self._path, self._record = path, record
        os.environ.update({key: value for key, value in (_PATIENCE | _QUIET).items() if key not in os.environ})
        try:
            self._known = json.loads((path / _KNOWN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._known = {}

    def logged(self, part: str, values: Mapping[str, Any]) -> None:
        """A line was logged."""
        if self._running is None:
            self._open()  # and tell the log, in which the line stands
        else:
            self._hand_on(self._read(part, values))

    def cut(self, part: str, lost: Sequence[Mapping[str, Any]]) -> None:
        """The log was cut back, and with it these lines; whoever follows was told them."""
        for known in self._known.values():
            for values in lost:
                kind = f"{part}|{_kind(values)}"
                known["told"][kind] = max(known["told"].get(kind, 0), int(values.get("step", 0)))
        if lost and self._known:
            write_json(self._path / _KNOWN, self._known)
        self._open()

    def saved(self) -> None:
        """What was logged so far will never be cut."""
        self._each(lambda _, tracker: tracker.flush())

    def finished(self, numbers: Mapping[str, Any]) -> None:
        """The run has its result."""
        self._end = End.FINISHED
        scores: Sequence[Score] = from_json(list(numbers.get("scores", ())))
        values, texts = dict[str, float](), dict[str, str]()
        for score in scores:
            name = f"final/{score.split}/{score.metric}"
            values[name], texts[name + "/facts"] = score.value, _facts(score)
            if score.spread is not None:
                values[name + "_spread"] = score.spread
            if score.baseline is not None:
                values[f"{name}_{score.baseline[0]}"] = score.baseline[1]
        self._step = int(numbers.get("steps", self._step))
        self._hand_on(Entry("", "final", self._step, values, texts))

    def _read(self, part: str, values: Mapping[str, Any]) -> Entry:
        """A line of the log, one without a step at the last one."""
        self._step, kind = int(values.get("step", self._step)), _kind(values)
        numbers = {f"{kind}/{name}": float(value) for name, value in values.items() if _measured(name, value)}
        texts = {f"finding/{values['finding']}": _finding(values)} if "finding" in values else {}
        return Entry(part, kind, self._step, numbers, texts)

    def _hand_on(self, entry: Entry) -> None:
        def log(name: str, tracker: Tracker) -> None:
            again = entry.step <= self._known[name]["told"].get(f"{entry.part}|{entry.kind}", -1)
            tracker.log(replace(entry, again=again))

        self._each(log)

    def _open(self) -> None:
        """Open the trackers: before the first step of a run, so that their time is none of the loop's, and never of a finished run."""
        if self._record is None or self._running is not None:
            return
        self._running = {}
        for name in self._names:
            known = self._known.get(name, {"identity": "", "told": {}})
            tracker = TRACKERS[name]()
            try:
                begun = tracker.begin(Opening(self._path, self._record, known["identity"]))
                self._known[name] = {"identity": begun.identity, "told": {} if begun.empty else known["told"]}
                self._running[name] = tracker
                if begun.empty:
                    self._replay(tracker)
            except Exception as error:  # of a library, a server or a disk: whatever it is, the run does not depend on it
                self._lose(name, error)
        if self._known:
            write_json(self._path / _KNOWN, self._known)

    def _replay(self, tracker: Tracker) -> None:
        """Tell a tracker the log of every part from the beginning."""
        for path in sorted(self._path.rglob(LOG)):
            part = path.parent.relative_to(self._path).as_posix()
            for values in RunFolder(path.parent).read_log():
                tracker.log(self._read("" if part == "." else part, values))

    def _each(self, act: Callable[[str, Tracker], None]) -> None:
        for name, tracker in list((self._running or {}).items()):
            try:
                act(name, tracker)
            except Exception as error:  # as above
                self._lose(name, error)

    def _lose(self, name: str, error: Exception) -> None:
        if self._running is not None:
            self._running.pop(name, None)
        self._listen(
            warning(
                "tracker-failed",
                "the tracker {name} failed and gets nothing more of this run, which goes on: {reason}",
                name=name,
                reason=(str(error) or type(error).__name__).splitlines()[0],
            )
        )


def _require(names: Sequence[str]) -> None:
    """Refuse trackers whose library is not installed, all at once and before any work."""
    specs = {name: find_spec(name) for name in names}
    missing = [name for name, spec in specs.items() if spec is None or spec.origin is None]  # a folder `wandb` is no package
    if missing:
        raise MachineError(
            "no-tracker",
            "--tracker needs packages that are not installed: {names}",
            do="run `pip install 'bertsmith[{extras}]'`, or leave out --tracker",
            names=", ".join(missing),
            extras=",".join(missing),
        )


def _kind(values: Mapping[str, Any]) -> str:
    """Which of the kinds of lines this one is."""
    if "finding" in values:
        return "finding"
    return "evaluation" if values.get("evaluation") else "train" if "gradient_norm" in values else "run"


def _measured(name: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and name != "step"


def _finding(values: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in values.get("values", {}).items())
    return f"{'warning' if values.get('alarm') else 'note'} {values['finding']}: {told}".removesuffix(": ")


def _facts(score: Score) -> str:
    """What a score is, in one line."""
    baseline = [] if score.baseline is None else [f"{score.baseline[0]} {score.baseline[1]:.3f}"]
    return ", ".join([score.text(), score.split, f"n = {score.n:,}", f"seeds = {score.seeds}", *baseline])
