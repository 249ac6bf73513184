"""Runs as `compare` sees them: who they are, how far they are, and their curves, from the run folders alone."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from bertsmith.errors import RunFolderError
from bertsmith.messages import Phrase
from bertsmith.messages.names import METRICS, named
from bertsmith.records.page import from_json
from bertsmith.records.run import LOG, NO_IDENTITY, RunFolder, RunRecord
from bertsmith.records.scores import Score

JOBS = ("pretrain", "finetune")
POINTS = 400  # of a training curve; as many as the report of a run has
RECENT = 50  # steps over which the latest value of training is averaged, as progress shows it
_PLACES = ("step", "tokens")
_LOGGED = {
    "loss": Phrase("loss (nats)", "损失（nat）"),
    "nsp_loss": Phrase("next-sentence loss (nats)", "下一句损失（nat）"),
    "sop_loss": Phrase("sentence-order loss (nats)", "句序损失（nat）"),
    "sop_accuracy": Phrase("sentence-order accuracy", "句序准确率"),
    "gradient_norm": Phrase("norm of the gradient", "梯度范数"),
}
Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Curve:
    """A measure over the steps.

    Args:
        steps: behind which it was measured.
        values: one for each step; the mean over the seeds that came so far.
        tokens: trained on up to each step; empty where that was not logged.
        seconds: of training up to each step; empty where that was not logged.
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]
    tokens: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Run:
    """One of the runs.

    Args:
        name: that tells it from the others.
        folder: its run folder.
        record: its settings, data, versions and machine.
        scores: of a finished run, None of one that is not.
        training: curve of each measure of the training steps, by its name, thinned by means.
        held_out: curve of each measure on held-out data.
        latest: of each measure of training the mean over the last steps.
        step: the last one that was logged.
        planned: how many steps there will be, None where the log does not say.
        idle: seconds since something was logged, None where nothing was.
    """

    name: str
    folder: Path
    record: RunRecord
    scores: tuple[Score, ...] | None
    training: Mapping[str, Curve]
    held_out: Mapping[str, Curve]
    latest: Mapping[str, float]
    step: int
    planned: int | None
    idle: float | None


def read_runs(folders: Sequence[str]) -> list[Run]:
    """The runs in their folders.

    Raises:
        RunFolderError: folders that hold no run of pretrain or finetune, damaged ones, runs of different jobs; all at once.
    """
    runs, faults = [], []
    for name, folder in zip(_names(folders), map(Path, folders)):
        try:
            runs.append(_read(name, folder))
        except RunFolderError as fault:
            faults.append(fault)
    jobs = {run.record.job: run.name for run in runs}
    if len(jobs) > 1:
        faults.append(
            RunFolderError(
                "runs-of-different-jobs",
                "the runs have nothing to compare: {jobs}",
                do="compare runs of one job",
                jobs=", ".join(f"{job} ({name})" for job, name in jobs.items()),
            )
        )
    if faults:
        raise RunFolderError.all_of(faults)
    return runs


def common_step(runs: Sequence[Run], metric: str) -> int | None:
    """The last step behind which every run measured a metric on held-out data, None where there is none."""
    shared = set.intersection(*(set(run.held_out[metric].steps if metric in run.held_out else ()) for run in runs))
    return int(max(shared)) if shared else None


def measures(curves: Iterable[Mapping[str, Curve]]) -> list[str]:
    """Every measure that one of the runs has, in the order of the log."""
    return list(dict.fromkeys(name for one in curves for name in one))


def told_measure(name: str) -> Phrase:
    """What a measure is called."""
    return named(_LOGGED | METRICS, name)


def _names(folders: Sequence[str]) -> list[str]:
    """The names of the folders, or the whole paths where two have the same."""
    short = [Path(folder).resolve().name for folder in folders]
    return [name if short.count(name) == 1 else folder for name, folder in zip(short, folders)]


def _read(name: str, path: Path) -> Run:
    folder = RunFolder(path)
    record = folder.read_record()
    if record is None or record.job not in JOBS:
        raise RunFolderError(
            "no-run-to-compare",
            "the folder holds no run of {jobs}",
            where=path,
            do="give the folder that --output named, with run.json in it",
            jobs=" / ".join(JOBS),
        )
    parts = sorted(path.glob("seeds/*"), key=lambda part: (len(part.name), part.name)) if record.job == "finetune" else [path]
    logs = [log for log in (list(RunFolder(part).read_log()) for part in parts) if log]
    written = [(part / LOG).stat().st_mtime for part in parts if (part / LOG).exists()]
    steps = [_steps(log) for log in logs]
    return Run(
        name,
        path,
        record,
        _scores(folder),
        _mean([_curves(_blocks(lines), log) for lines, log in zip(steps, logs)]),
        _mean([_curves([[line] for line in log if line.get("evaluation")], log) for log in logs]),
        _means([_means(lines[-RECENT:]) for lines in steps]),
        max((int(lines[-1]["step"]) for lines in steps if lines), default=0),
        _planned(record, logs),
        max(0.0, time.time() - max(written)) if written else None,
    )


def _scores(folder: RunFolder) -> tuple[Score, ...] | None:
    try:
        result = folder.read_result()
        scores: tuple[Score, ...] | None = None if result is None else from_json(list(result[0]["scores"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFolderError(
            "report-damaged-result",
            "the result of the run cannot be read",
            where=folder.path / "result.json",
            do="run the job again in another folder; nothing was touched",
        ) from error
    return scores


def _planned(record: RunRecord, logs: Sequence[Log]) -> int | None:
    plans = [line["planned_steps"] for log in logs for line in log if "planned_steps" in line]
    setting = record.settings.get("steps")
    return int(plans[-1]) if plans else None if setting is None else int(setting.value)


def _steps(log: Log) -> list[Mapping[str, Any]]:
    return [line for line in log if "gradient_norm" in line]


def _blocks(lines: Log) -> list[Log]:
    """The steps in as many stretches as a curve has points."""
    width = max(-(-len(lines) // POINTS), 1)
    return [lines[first : first + width] for first in range(0, len(lines), width)]


def _means(lines: Log) -> dict[str, float]:
    """The mean of each measure over some lines."""
    found = defaultdict(list)
    for line in lines:
        for name, value in line.items():
            if name not in _PLACES and isinstance(value, (int, float)) and not isinstance(value, bool):
                found[name].append(float(value))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _curves(blocks: Sequence[Log], log: Log) -> dict[str, Curve]:
    """The curve of each measure with a point for each block, and where those points lie in tokens and in time."""
    ends = [float(block[-1]["step"]) for block in blocks]
    points = defaultdict(list)
    for end, block in zip(ends, blocks):
        for name, value in _means(block).items():
            points[name].append((end, value))
    tokens, seconds = _tokens(log), _seconds(log)
    return {
        name: Curve(
            tuple(step for step, _ in places),
            tuple(value for _, value in places),
            _laid(tokens, [step for step, _ in places]),
            _laid(seconds, [step for step, _ in places]),
        )
        for name, places in points.items()
    }


def _tokens(log: Log) -> list[tuple[float, float]]:
    """Steps, and the tokens up to each; nothing where one step does not say how many it had."""
    lines = _steps(log)
    if not all("tokens" in line for line in lines):
        return []
    return list(zip((float(line["step"]) for line in lines), accumulate(float(line["tokens"]) for line in lines)))


def _seconds(log: Log) -> list[tuple[float, float]]:
    """Steps, and the seconds up to each, which a run with a budget of time logs with each plan."""
    told = [(float(line["step"]), float(line["spent_seconds"])) for line in log if "spent_seconds" in line]
    return [(0.0, 0.0), *told] if told else []


def _laid(known: Sequence[tuple[float, float]], steps: Sequence[float]) -> tuple[float, ...]:
    """Where steps lie between known ones; behind the last known one at the pace before it."""
    if len(known) < 2:
        return ()
    xs, ys = np.array(known).T
    pace = (ys[-1] - ys[-2]) / max(xs[-1] - xs[-2], 1)
    found = np.interp(steps, xs, ys) + np.maximum(np.array(steps) - xs[-1], 0) * pace
    return tuple(found.tolist())


def _mean(seeds: Sequence[Mapping[str, Curve]]) -> dict[str, Curve]:
    """Each measure at each step as the mean over the seeds that have it; tokens and time of the first seed."""
    if len(seeds) == 1:
        return dict(seeds[0])
    found = {}
    for name in measures(seeds):
        curves, values = [one[name] for one in seeds if name in one], defaultdict(list)
        for curve in curves:
            for step, value in zip(curve.steps, curve.values):
                values[step].append(value)
        longest = max(curves, key=lambda curve: len(curve.steps))
        steps = longest.steps
        means = tuple(float(np.mean(values[step])) for step in steps)
        found[name] = Curve(steps, means, longest.tokens, longest.seconds)
    return found


def settings_of(run: Run) -> dict[str, Any]:
    """The settings that can make a difference."""
    return {name: item.value for name, item in run.record.settings.items() if name not in NO_IDENTITY}
