"""The three splits of a fine-tuning: from three tables, or out of one."""

from collections import defaultdict
from pathlib import Path

from bertsmith.data.examples import Examples, labelled_examples, listed, warn_of_rare_labels
from bertsmith.data.splits import Shares, leaks, split_rows, text_keys
from bertsmith.data.table_columns import check_column, infer_columns
from bertsmith.data.tables import Table, read_table
from bertsmith.errors import UsageError
from bertsmith.progress import Listener, Stage, ignore, warning
from bertsmith.training.finetuning.settings import FinetuneSettings

Splits = tuple[Examples, Examples, Examples]


def read_splits(settings: FinetuneSettings, listen: Listener) -> tuple[Splits, dict[str, str]]:
    """Read and check every table; what is missing of dev and test is split from the training table.

    Returns:
        The examples of train, dev and test, and the columns that were used.

    Raises:
        DataError: a table that cannot be read or used.
        UsageError: a column that is not there, or a split by group without its column.
    """
    listen(Stage("reading"))
    table = read_table(settings.data, settings, listen)
    columns = infer_columns(table, settings, task=settings.task, listen=listen)  # type: ignore[arg-type]  # checked by choices
    examples = labelled_examples(table, columns, listen)
    groups = _groups(settings, table)
    others = {
        name: _other(path, settings, listen)
        for name, path in (("dev", settings.dev), ("test", settings.test))
        if path is not None
    }
    both = len(others) == len(("dev", "test"))  # then nothing is split, and nothing is to be told
    shares = Shares(0.0 if "dev" in others else settings.dev_share, 0.0 if "test" in others else settings.test_share)
    warn_of_rare_labels(examples, listen)
    keys = text_keys(examples)
    _warn_of_contradictions(examples, keys, listen)
    split = split_rows(
        keys,
        examples.labels or [],
        shares,
        how=settings.split,  # type: ignore[arg-type]  # checked by choices
        groups=groups,
        seed=settings.seed,
        path=settings.data,
        listen=ignore if both else listen,
    )
    train = examples.take(split.train)
    dev, test = others.get("dev") or examples.take(split.dev), others.get("test") or examples.take(split.test)
    if others:
        leaks(train, dev, test, listen)
    used = {"text": columns.text, "pair": columns.pair or "", "label": columns.label or ""}
    return (train, dev, test), used


def _warn_of_contradictions(examples: Examples, keys: list[str], listen: Listener) -> None:
    labels: dict[str, set[str]] = defaultdict(set)
    for key, label in zip(keys, examples.labels or (), strict=True):
        labels[key].add(label)
    lines = [line for key, line in zip(keys, examples.lines, strict=True) if len(labels[key]) > 1]
    if lines:
        listen(
            warning(
                "labels-contradict",
                "{path}: {count} rows have a text that stands there with another label too (lines {lines}); no model gets all of them right",
                path=examples.path,
                count=len(lines),
                lines=listed(lines),
            )
        )


def _other(path: Path, settings: FinetuneSettings, listen: Listener) -> Examples:
    table = read_table(path, settings, listen)
    return labelled_examples(table, infer_columns(table, settings, task=settings.task, listen=listen), listen)  # type: ignore[arg-type]


def _groups(settings: FinetuneSettings, table: Table) -> list[str] | None:
    if settings.split != "group":
        return None
    if not settings.group:
        raise UsageError("no-group", "--split group needs the column of the groups", do="name it with --group", where="group")
    check_column(table, settings.group)
    return table.column(settings.group)
