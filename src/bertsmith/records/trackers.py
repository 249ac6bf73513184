"""The trackers that people look at already, TensorBoard, MLflow and Weights & Biases, behind one small protocol.

Names of what is logged: `train/mlm_loss` of a step, `evaluation/mlm_loss` on held-out data, `run/planned_steps` of the run itself,
`final/test/accuracy` of the result, `finding/CODE` as text; a fine-tuning seed stands under `seeds/0/`.

Nothing leaves the machine unasked: TensorBoard and MLflow write into the run folder (MLflow elsewhere where MLFLOW_TRACKING_URI says so),
wandb is offline unless a key or WANDB_MODE is there, and reports on the libraries' own use are off.

A run that was killed and goes on repeats the steps behind its newest training state. TensorBoard takes them anew, for its files know how
to forget. The histories of MLflow and of wandb online only grow, so there the steps that they have already are passed over: MLflow is asked
which; wandb was told all lines that were cut off the log. Offline, wandb may have lost the end of its file with the kill: there the run is
written anew from the first line of the log, under the same identity. A tracker that is added when a run goes on gets the whole log, too.
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from bertsmith.records.run import RunRecord

_KINDS = ("train", "evaluation", "run", "final", "finding")
PROJECT = "bertsmith"  # the name of the experiment (MLflow) or project (wandb) where the environment names none
_PARAMETERS = 100  # that MLflow takes in one request; mlflow.org, REST API, log-batch
_METRICS = 1000  # likewise
_SECONDS = 1.0  # between two requests to MLflow: a server then costs a run at most some hundredths of its time; assumed


class End(Enum):
    """How a run ended."""

    FINISHED = "finished"
    KILLED = "killed"
    FAILED = "failed"


@dataclass(frozen=True)
class Opening:
    """What a tracker is told of a run before anything else.

    Args:
        folder: the run folder.
        record: its job, settings, data and versions.
        identity: what `begin` gave when the run began; empty where it begins now.
    """

    folder: Path
    record: RunRecord
    identity: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {name: setting.value for name, setting in self.record.settings.items()}

    @property
    def origin(self) -> dict[str, str]:
        """Job, data and versions by name."""
        facts = self.record
        data = {f"data.{name}": value for name, value in facts.data.items()}
        return {"job": facts.job} | data | {f"version.{name}": value for name, value in facts.versions.items()}


@dataclass(frozen=True)
class Begun:
    """What became of `begin`.

    Args:
        identity: what tells the tracker's run from others.
        empty: it holds nothing yet, and is told the log from its first line.
    """

    identity: str
    empty: bool


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Args:
        part: of the run, such as `seeds/0`; empty for the run itself.
        kind: one of `train`, `evaluation`, `run`, `final`, `finding`.
        step: behind which it was logged.
        numbers: by name.
        texts: by name.
        again: the tracker was told this before the run was killed.
    """

    part: str
    kind: str
    step: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    again: bool = False

    def name(self, name: str) -> str:
        """A name with the part of the run in front."""
        return f"{self.part}/{name}" if self.part else name


class Tracker(Protocol):
    """One of the trackers. Whatever its methods raise ends the tracking, never the run."""

    def begin(self, opening: Opening) -> Begun:
        """Open the tracker's run, or go on with it."""
        ...

    def log(self, entry: Entry) -> None:
        """Take one line of the log."""
        ...

    def flush(self) -> None:
        """Hand on everything that was taken; called before each training state."""
        ...

    def finish(self, end: End) -> None:
        """Close the tracker's run."""
        ...


class TensorBoard:
    """Event files in RUN/tensorboard, a folder for each part of the run."""

    def begin(self, opening: Opening) -> Begun:
        """Write the settings as hyperparameters."""
        self._place, self._writers = opening.folder / "tensorboard", dict[str, Any]()
        if not opening.identity:
            from tensorboard.plugins.hparams.summary_v2 import hparams_pb

            told = {k: v if isinstance(v, (bool, int, float)) else str(v) for k, v in opening.settings.items()}
            self._add("", 0, hparams_pb(told, trial_id=opening.folder.name))
        return Begun("files", not opening.identity)

    def log(self, entry: Entry) -> None:
        """Write the numbers; behind a mark that hides those from this step on where the run repeats them."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text.summary_v2 import text_pb

        if entry.again and entry.part not in self._writers:
            start = SessionLog(status=SessionLog.START)
            self._writer(entry.part).add_event(Event(wall_time=time.time(), step=entry.step, session_log=start))
        values = [Summary.Value(tag=name, simple_value=number) for name, number in entry.numbers.items()]
        if values:
            self._add(entry.part, entry.step, Summary(value=values))
        for name, text in entry.texts.items():
            self._add(entry.part, entry.step, text_pb(name, text))

    def flush(self) -> None:
        """Bring everything to the files."""
        for writer in self._writers.values():
            writer.flush()

    def finish(self, end: End) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _add(self, part: str, step: int, summary: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer(part).add_event(Event(wall_time=time.time(), step=step, summary=summary))

    def _writer(self, part: str) -> Any:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if part not in self._writers:
            self._writers[part] = EventFileWriter(str(self._place / part))
        return self._writers[part]


class MLflow:
    """A run of an experiment: in RUN/mlflow.db, or where MLFLOW_TRACKING_URI says. Metrics are handed on once a second."""

    def begin(self, opening: Opening) -> Begun:
        """Create the run with its settings as parameters, or take it up again."""
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        folder, elsewhere = opening.folder.absolute(), os.environ.get("MLFLOW_TRACKING_URI")
        self._client, self._run = MlflowClient(elsewhere or f"sqlite:///{folder / 'mlflow.db'}"), opening.identity
        self._waiting: list[Any] = []
        self._handed_on = time.monotonic()
        self._last: dict[str, int] | None = {} if opening.identity else None
        if self._run:
            self._client.update_run(self._run, status="RUNNING")
            return Begun(self._run, empty=False)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        experiment = self._client.get_experiment_by_name(name)
        files = None if elsewhere else str(folder / "mlflow")
        number = self._client.create_experiment(name, files) if experiment is None else experiment.experiment_id
        self._run = str(self._client.create_run(number, run_name=opening.folder.name, tags=opening.origin).info.run_id)
        settings = [Param(key, str(value)) for key, value in opening.settings.items()]
        for first in range(0, len(settings), _PARAMETERS):
            self._client.log_batch(self._run, params=settings[first : first + _PARAMETERS])
        return Begun(self._run, empty=True)

    def log(self, entry: Entry) -> None:
        """Take the numbers as metrics and the texts as tags."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        for name, number in entry.numbers.items():
            if not self._has(entry.name(name), entry.step):
                self._waiting.append(Metric(entry.name(name), number, now, entry.step))
        for name, text in entry.texts.items():
            self._client.set_tag(self._run, entry.name(name), f"{entry.step}: {text}")
        if time.monotonic() - self._handed_on > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand the metrics on."""
        while self._waiting:
            self._client.log_batch(self._run, metrics=self._waiting[:_METRICS])
            del self._waiting[:_METRICS]
        self._handed_on = time.monotonic()

    def finish(self, end: End) -> None:
        """Hand on the rest and say how the run ended."""
        self.flush()
        self._client.set_terminated(self._run, status=end.name)

    def _has(self, metric: str, step: int) -> bool:
        """Whether the run that goes on has this step of a metric from before."""
        if self._last is None:
            return False
        if metric not in self._last:
            self._last[metric] = max((old.step for old in self._client.get_metric_history(self._run, metric)), default=-1)
        return step <= self._last[metric]


class Wandb:
    """A run of Weights & Biases, its files in RUN/wandb; offline unless a key or WANDB_MODE is there. It never asks."""

    def begin(self, opening: Opening) -> Begun:
        """Open the run with its settings; each part has its own steps."""
        import wandb

        identity = opening.identity or secrets.token_hex(4)
        offline = (os.environ.get("WANDB_MODE") or ("" if _logged_in() else "offline")) == "offline"
        if offline and opening.identity:
            _drop_unsent(opening)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=opening.folder.name,
            id=identity,
            resume="allow",
            dir=str(opening.folder),
            config=opening.settings | opening.origin,
            mode="offline" if offline else None,
            settings=wandb.Settings(console="off", silent=True),
        )
        self._parts: set[str] = set()
        return Begun(identity, empty=offline or not opening.identity)

    def log(self, entry: Entry) -> None:
        """Take the numbers over the part's own step, and the texts into the summary."""
        if entry.again:
            return
        step = entry.name("step")
        if entry.part not in self._parts:
            self._parts.add(entry.part)
            self._run.define_metric(step, hidden=True)
            for kind in _KINDS:
                self._run.define_metric(entry.name(f"{kind}/*"), step_metric=step)
        if entry.numbers:
            self._run.log({step: entry.step, **{entry.name(name): number for name, number in entry.numbers.items()}})
        for name, text in entry.texts.items():
            self._run.summary[entry.name(name)] = f"{entry.step}: {text}"

    def flush(self) -> None:
        """Nothing: the library's own process writes and sends by itself."""

    def finish(self, end: End) -> None:
        """Wait until all is written or sent."""
        self._run.finish(exit_code=0 if end is End.FINISHED else 1)


def _drop_unsent(opening: Opening) -> None:
    """Remove what an offline run left before it was killed, unless it was sent: its last part was never written, so it begins anew."""
    for folder in (opening.folder / "wandb").glob(f"offline-run-*-{opening.identity}"):
        if not any(folder.glob("*.synced")):
            shutil.rmtree(folder, ignore_errors=True)


def _logged_in() -> bool:
    """Whether wandb can send without asking: a key in the environment or in a netrc file."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    for path in (os.environ.get("NETRC", "~/.netrc"), "~/_netrc"):
        try:
            if netrc(Path(path).expanduser()).authenticators(host):
                return True
        except (OSError, NetrcParseError):
            continue
    return False


TRACKERS: dict[str, Callable[[], Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": Wandb}
