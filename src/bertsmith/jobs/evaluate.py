"""`evaluate`: a task model and a labelled table in, scores out."""

from collections.abc import Mapping

from bertsmith.data.examples import labelled_examples
from bertsmith.data.table_columns import Wanted, infer_columns
from bertsmith.data.tables import read_table
from bertsmith.files import sha256
from bertsmith.inference.model import load
from bertsmith.jobs.outcome import Outcome, told_score
from bertsmith.jobs.settings import EvaluateSettings
from bertsmith.jobs.threads import use_threads
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Stage, ignore
from bertsmith.records.page import Page, Section, Table, to_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.reports.page import write_report


def evaluate(
    settings: EvaluateSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Measure a fine-tuned model on every row of a table.

    Raises:
        DataError: a table that cannot be read, or labels that the model does not know.
        CheckpointError: no fine-tuned model.
    """
    use_threads(settings.threads)
    model = load(settings.model, listen=listen)
    task = model.task
    table = read_table(settings.data, settings, listen)
    wanted: Wanted = "classify-pairs" if task.pairs else "classify"
    examples = labelled_examples(table, infer_columns(table, settings, task=wanted, listen=listen), listen)
    targets_B = task.targets(examples.labels or [], settings.data)
    listen(Stage("evaluating"))
    result = task.measure(model.logits(examples.texts, examples.pairs), targets_B)
    scores = result.scores("given")
    numbers = {"scores": to_json(scores), **result.as_json()}
    told = list(map(told_score, scores))
    if settings.output is not None:
        folder = RunFolder(settings.output)
        record = RunRecord("evaluate", settings_with_origin(settings, given), {"data": sha256(settings.data)})
        folder.begin(record)
        columns = (Phrase("measure", "指标"), Phrase("value", "数值"))
        table_of_scores = Table(Phrase("Scores", "得分"), columns, tuple((score.metric, score) for score in scores))
        page = Page(
            Phrase("Evaluation", "评测"), told[0], (Section(Phrase("Result", "结果"), (table_of_scores, *result.items())),)
        )
        write_report(settings.output / "report.html", page, record, language="zh" if language == "zh" else "en")
        folder.finish(numbers, page)
        report = settings.output / "report.html"
        told.append(Phrase(f"report: {report}", f"报告：{report}"))
    return Outcome(numbers, tuple(told))
