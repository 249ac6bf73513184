"""`predict`: a task model and a text or a file in, answers out; of a table all columns are kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsmith.data.examples import unlabelled_examples
from bertsmith.data.table_columns import Wanted, infer_columns
from bertsmith.data.tables import Table, quoted, read_table, read_text_lines, write_rows
from bertsmith.errors import DataError
from bertsmith.files import check_writable
from bertsmith.inference.model import LoadedModel, load
from bertsmith.jobs.outcome import Outcome
from bertsmith.jobs.settings import PredictSettings
from bertsmith.jobs.threads import use_threads
from bertsmith.messages import Phrase
from bertsmith.progress import Advance, Listener, Stage, ignore
from bertsmith.tasks.classification import ClassAnswer

_TABLES, _LINES = (".csv", ".tsv", ".jsonl"), ".txt"


def predict(
    settings: PredictSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Answer one text, or every row of a file.

    Raises:
        DataError: a file that cannot be read.
        CheckpointError: no fine-tuned model.
        MachineError: the output may not be written; this is found before any answer.
        UsageError: one text for a model of pairs, or two for a model of single texts.
    """
    use_threads(settings.threads)
    if settings.output is not None:
        check_writable(settings.output)
    model = load(settings.model, listen=listen)
    table = _table(settings, listen)
    if table is None:
        answers = model.predict([settings.source], [settings.second] if settings.second else None)
        return Outcome({"answers": [_numbers(answers[0], model)]}, (_told(answers[0]),))
    wanted: Wanted = "classify-pairs" if model.task.pairs else "classify"
    examples = unlabelled_examples(table, infer_columns(table, settings, task=wanted, listen=listen), listen)
    listen(Stage("answering", len(examples), "texts"))
    answers = model.predict(examples.texts, examples.pairs)
    listen(Advance(len(answers)))
    if settings.output is None:
        return Outcome({"answers": [_numbers(answer, model) for answer in answers]}, tuple(map(_told, answers)))
    names = write_rows(table, settings.output, _columns(answers))
    columns = quoted(names)
    return Outcome(
        {"rows": len(answers), "output": str(settings.output), "columns": list(names)},
        (
            Phrase(
                f"{len(answers):,} rows in {settings.output}; new columns: {columns}",
                f"{settings.output} 共 {len(answers):,} 行；新列：{columns}",
            ),
        ),
    )


def _table(settings: PredictSettings, listen: Listener) -> Table | None:
    """The file that `source` names; None where it is a text."""
    path = Path(settings.source)
    named = path.suffix.lower() in (*_TABLES, _LINES) and " " not in settings.source.strip()
    try:
        there = path.is_file()
    except OSError:  # a long text is no file name
        there = False
    if not there:
        if named:
            raise DataError(
                "no-such-source", "there is no such file", where=settings.source, do="check the path, or give the text itself"
            )
        return None
    return read_text_lines(path, settings, listen) if path.suffix.lower() == _LINES else read_table(path, settings, listen)


def _columns(answers: Sequence[ClassAnswer]) -> dict[str, list[str | float]]:
    cells = [answer.cells() for answer in answers]
    return {name: [one[name] for one in cells] for name in (cells[0] if cells else ())}


def _numbers(answer: ClassAnswer, model: LoadedModel) -> dict[str, Any]:
    return {**answer.cells(), "probabilities": dict(zip(model.task.labels, answer.probabilities, strict=True))}


def _told(answer: ClassAnswer) -> Phrase:
    line = f"{answer.label}\t{answer.probability:.3f}"
    return Phrase(line, line)
