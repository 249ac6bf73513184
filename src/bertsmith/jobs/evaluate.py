"""`evaluate`: a task model and a labelled table in, scores out."""

from collections.abc import Mapping
from typing import Any

from bertsmith.data.examples import labelled_examples
from bertsmith.data.table_columns import Wanted, infer_columns
from bertsmith.data.tables import read_table
from bertsmith.files import sha256
from bertsmith.inference.model import load
from bertsmith.jobs.outcome import Outcome, command, told_score
from bertsmith.jobs.settings import EvaluateSettings
from bertsmith.jobs.threads import use_threads
from bertsmith.messages import Phrase
from bertsmith.messages.names import METRICS, named
from bertsmith.progress import Listener, Stage, ignore
from bertsmith.records.page import Page, Section, Table, from_json, to_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.records.scores import Score
from bertsmith.reports.page import write_report
from bertsmith.tasks.metrics import ClassificationResult


def evaluate(
    settings: EvaluateSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Measure a fine-tuned model on every row of a table.

    Raises:
        DataError: a table that cannot be read, or labels that the model does not know.
        CheckpointError: no fine-tuned model.
        RunFolderError: the output holds a different run.
    """
    use_threads(settings.threads)
    model = load(settings.model, listen=listen)
    task = model.task
    table = read_table(settings.data, settings, listen)
    wanted: Wanted = "classify-pairs" if task.pairs else "classify"
    examples = labelled_examples(table, infer_columns(table, settings, task=wanted, listen=listen), listen)
    targets_B = task.targets(examples.labels or [], settings.data)
    hashes = {"data": sha256(settings.data), "model": sha256(next(settings.model.glob("*.safetensors")))}
    record = RunRecord("evaluate", settings_with_origin(settings, given), hashes)
    folder = None if settings.output is None else RunFolder(settings.output)
    if folder is not None:
        folder.begin(record)
        if (finished := folder.read_result()) is not None:
            return _outcome(settings, finished[0], folder)
    listen(Stage("evaluating"))
    result = task.measure(model.logits(examples.texts, examples.pairs), targets_B)
    numbers = {"scores": to_json(result.scores("given")), **result.as_json()}
    if folder is not None:
        page = _page(result)
        write_report(folder.path / "report.html", page, record, language="zh" if language == "zh" else "en")
        folder.finish(numbers, page)
    return _outcome(settings, numbers, folder)


def _page(result: ClassificationResult) -> Page:
    scores = result.scores("given")
    columns = (Phrase("measure", "指标"), Phrase("value", "数值"))
    table = Table(Phrase("Scores", "得分"), columns, tuple((named(METRICS, score.metric), score) for score in scores))
    section = Section(Phrase("Result", "结果"), (table, *result.items()))
    return Page(Phrase("Evaluation", "评测"), told_score(scores[0]), (section,))


def _outcome(settings: EvaluateSettings, numbers: Mapping[str, Any], folder: RunFolder | None) -> Outcome:
    scores: tuple[Score, ...] = from_json(numbers["scores"])
    told = list(map(told_score, scores))
    if folder is not None:
        report = folder.path / "report.html"
        told.append(Phrase(f"report: {report}", f"报告：{report}"))
    return Outcome(numbers, tuple(told), (command("predict", settings.model, "…"),))
