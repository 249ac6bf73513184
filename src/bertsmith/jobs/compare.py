"""`compare`: runs beside each other, also while they run."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsmith.files import sha256
from bertsmith.jobs.compare_page import cell_text, difference_items, page_of, result_tables, summary_of, watched_tables
from bertsmith.jobs.compare_runs import Curve, Run, common_step, measures, read_runs, settings_of
from bertsmith.jobs.compare_settings import CompareSettings
from bertsmith.jobs.outcome import Outcome
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Picture, ignore
from bertsmith.records.page import Item, Paragraph, Table, to_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin

SECONDS = 5.0  # between two looks at runs under way; assumed: a run logs a line about as often, and reading takes little of it
_BLANK = Phrase("", "")


def compare(
    settings: CompareSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Compare runs of one job by their folders; nothing in them is touched.

    Args:
        settings: the folders; with `watch` they are read again and again, until all have finished or Ctrl-C.
        given: the fields that the caller gave, for the record.
        listen: told the tables as they change.
        language: that the report opens in.

    Raises:
        RunFolderError: folders that hold no run of pretrain or finetune, damaged ones, runs of different jobs, all at once;
            or the output holds something else.
    """
    if settings.output is not None:
        RunFolder(settings.output).check_place()
    runs = read_runs(settings.runs)
    if settings.watch:
        runs = _watched(settings, runs, listen)
    told = list(_lines(runs, [*result_tables(runs), *difference_items(runs)]))
    numbers = _numbers(runs)
    if settings.output is not None:
        told += [_BLANK, _written(settings.output, settings, given, runs, numbers, language)]
    return Outcome(numbers, tuple(told))


def _watched(settings: CompareSettings, runs: list[Run], listen: Listener) -> list[Run]:
    """Show the runs until all have finished, or until Ctrl-C, which is how a person ends watching."""
    try:
        while True:
            listen(Picture(_lines(runs, watched_tables(runs))))
            if all(run.scores is not None for run in runs):
                return runs
            time.sleep(SECONDS)
            runs = read_runs(settings.runs)
    except KeyboardInterrupt:
        return runs


def _lines(runs: Sequence[Run], items: Sequence[Item]) -> tuple[Phrase, ...]:
    """The summary, and what is to be told below it, as lines in both languages."""
    lines = [summary_of(runs)]
    for item in items:
        if isinstance(item, Table):
            both = [_table(item, language) for language in ("en", "zh")]
            lines += [_BLANK, *(Phrase(en, zh) for en, zh in zip(*both, strict=True))]
        elif isinstance(item, Paragraph):
            lines += [_BLANK, item.text]
    return tuple(lines)


def _table(table: Table, language: str) -> list[str]:
    rows = [[cell_text(cell, language) for cell in row] for row in (table.columns, *table.rows)]
    numeric = [i for i in range(len(table.columns)) if all(isinstance(row[i], (int, float)) for row in table.rows)]
    caption = [] if table.caption is None else ["  " + table.caption.text(language)]
    return [table.title.text(language), *aligned(rows, right=numeric), *caption]


def _numbers(runs: Sequence[Run]) -> dict[str, Any]:
    """Everything as JSON has it."""
    metrics = measures(run.held_out for run in runs)
    return {
        "job": runs[0].record.job,
        "runs": [_run_numbers(run) for run in runs],
        "common_steps": {metric: common_step(runs, metric) for metric in metrics},
        "settings": _unequal([settings_of(run) for run in runs]),
        "data": {
            name: len({run.record.data.get(name) for run in runs}) == 1
            for name in dict.fromkeys(name for run in runs for name in run.record.data)
        },
        "versions": _unequal([run.record.versions for run in runs]),
        "machine": _unequal([run.record.machine for run in runs]),
    }


def _run_numbers(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "folder": str(run.folder),
        "finished": run.scores is not None,
        "scores": None if run.scores is None else to_json(run.scores),
        "step": run.step,
        "planned_steps": run.planned,
        "seconds_since_last_line": run.idle,
        "training": dict(run.latest),
        "curves": {
            "training": {name: _curve_numbers(curve) for name, curve in run.training.items()},
            "held_out": {name: _curve_numbers(curve) for name, curve in run.held_out.items()},
        },
    }


def _curve_numbers(curve: Curve) -> dict[str, list[float]]:
    found = {"steps": curve.steps, "values": curve.values, "tokens": curve.tokens, "seconds": curve.seconds}
    return {name: list(values) for name, values in found.items() if values}


def _unequal(values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The names whose values are not the same in all runs, with the value of each run."""
    names = dict.fromkeys(name for own in values for name in own)
    rows = {name: [own.get(name) for own in values] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}


def _written(
    output: Path,
    settings: CompareSettings,
    given: Mapping[str, object],
    runs: Sequence[Run],
    numbers: Mapping[str, Any],
    language: str,
) -> Phrase:
    from bertsmith.reports.page import write_report  # here, because a comparison without a report needs no templates

    folder, page = RunFolder(output), page_of(runs)
    hashes = {run.name: sha256(run.folder / "run.json") for run in runs}
    record = RunRecord("compare", settings_with_origin(settings, given), hashes)
    folder.begin(record)
    report = folder.path / "report.html"
    write_report(report, page, record, language="zh" if language == "zh" else "en")
    folder.finish(numbers, page)
    return Phrase(f"report: {report}", f"报告：{report}")
