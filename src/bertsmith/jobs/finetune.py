"""`finetune`: a labelled table and a model in, a measured task model out."""

from collections.abc import Mapping
from typing import Any

from bertsmith.checkpoints.folder import check_place, read_model_folder, write_model_folder
from bertsmith.data.examples import Examples
from bertsmith.files import sha256
from bertsmith.jobs.finetune_data import read_splits
from bertsmith.jobs.finetune_page import card_scores, numbers_of, page_of
from bertsmith.jobs.outcome import Outcome, command, told_score
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Stage, ignore
from bertsmith.records.page import from_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.records.scores import Score
from bertsmith.records.tracking import Tracking
from bertsmith.reports.page import write_report
from bertsmith.tasks.baselines import Baseline, baselines
from bertsmith.tasks.classification import Classification
from bertsmith.training.beginning import begin
from bertsmith.training.finetuning import run as finetuning
from bertsmith.training.finetuning.settings import FinetuneSettings


def finetune(
    settings: FinetuneSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Fine-tune with several seeds, write the seed that dev chooses as a model folder, and the report; it goes on if interrupted.

    Raises:
        DataError: a table that cannot be read or used.
        CheckpointError: no model folder with safetensors.
        RunFolderError: the output holds a different run.
        MachineError: a tracker is not installed.
        Interrupted: a stop was asked for; the state is saved.
    """
    with Tracking(settings.trackers, listen) as tracking:
        return _finetune(settings, given, listen, language, tracking)


def _finetune(
    settings: FinetuneSettings, given: Mapping[str, object], listen: Listener, language: str, tracking: Tracking
) -> Outcome:
    splits, columns = read_splits(settings, listen)
    task = Classification.of(splits[0])
    checkpoint = read_model_folder(settings.model, listen=listen)
    data = finetuning.encode_task(settings, checkpoint, task, splits, listen)
    model_folder = settings.output / "model"
    check_place(model_folder)
    record = RunRecord("finetune", settings_with_origin(settings, given), _hashes(settings))
    for name, column in columns.items():
        if not getattr(settings, name):
            record.resolve(name, column, "inferred")
    folder = RunFolder(settings.output, tracking)
    engine = begin(settings, record, folder, listen)
    if (finished := folder.read_result()) is not None:
        return _outcome(settings, finished[0])
    floors = compared(settings, task, splits, listen)
    results = finetuning.run_seeds(settings, checkpoint, data, engine, folder, listen)
    listen(Stage("writing"))
    numbers = numbers_of(results, floors, data)
    page = page_of(results, floors, data, finetuning.seed_logs(folder, results))
    best = finetuning.best_on_dev(results)
    about = {
        **task.about(),
        "max_length": settings.max_length,
        "origin": {"job": "finetune", **record.data},
        "metrics": numbers,
    }
    tuned = finetuning.fine_tuned(checkpoint, best, about)
    write_model_folder(
        model_folder, tuned, language=language, card={"title": settings.output.name, "scores": card_scores(results, floors)}
    )
    write_report(settings.output / "report.html", page, record, language="zh" if language == "zh" else "en")
    folder.finish({**numbers, "model": str(model_folder)}, page)
    return _outcome(settings, {**numbers, "model": str(model_folder)})


def compared(
    settings: FinetuneSettings, task: Classification, splits: tuple[Examples, Examples, Examples], listen: Listener
) -> list[Baseline]:
    """The simple models beside which the score stands."""
    if settings.baselines == "none":
        return []
    listen(Stage("baselines"))
    return baselines(task, *splits, listen)


def _hashes(settings: FinetuneSettings) -> dict[str, str]:
    tables = {"data": settings.data, "dev": settings.dev, "test": settings.test}
    files = {name: path for name, path in tables.items() if path is not None}
    return {name: sha256(path) for name, path in files.items()} | {"model": sha256(next(settings.model.glob("*.safetensors")))}


def _outcome(settings: FinetuneSettings, numbers: Mapping[str, Any]) -> Outcome:
    scores: tuple[Score, ...] = from_json(numbers["scores"])
    report, model = settings.output / "report.html", numbers["model"]
    return Outcome(
        numbers,
        (
            *(told_score(score, _other_baselines(score, numbers["baselines"])) for score in scores),
            Phrase(f"model: {model} (seed {numbers['chosen_seed']})", f"模型：{model}（种子 {numbers['chosen_seed']}）"),
            Phrase(f"report: {report}", f"报告：{report}"),
        ),
        (command("predict", model, "…"), command("evaluate", model, "DATA.csv")),
    )


def _other_baselines(score: Score, floors: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The values of the baselines that do not stand in the score already."""
    own = score.baseline[0] if score.baseline else None
    return [(name, floor[score.split][score.metric]) for name, floor in floors.items() if name != own]
