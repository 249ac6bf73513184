"""Examples of a text task, out of a table: checked before any long work, every fault with its lines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.table_columns import Columns
from bertsmith.data.tables import Table, quoted
from bertsmith.errors import DataError
from bertsmith.progress import Listener, ignore, warning

_LISTED = 10  # lines that a message lists
_FEW_ROWS = 20  # below, the number of classes says nothing; assumed


@dataclass(frozen=True)
class Examples:
    """Texts or pairs in the order of their file.

    Args:
        path: the file.
        texts: the texts, or the first ones of the pairs.
        pairs: the second ones; None for single texts.
        labels: names of the classes; None where there are none.
        lines: 1-based line in the file of each.
    """

    path: Path
    texts: list[str]
    pairs: list[str] | None
    labels: list[str] | None
    lines: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, index: Sequence[int] | NDArray[Any]) -> "Examples":
        """Some of the examples, in the given order."""
        places = np.asarray(index).tolist()
        return replace(
            self,
            texts=[self.texts[i] for i in places],
            pairs=None if self.pairs is None else [self.pairs[i] for i in places],
            labels=None if self.labels is None else [self.labels[i] for i in places],
            lines=[self.lines[i] for i in places],
        )


def unlabelled_examples(table: Table, columns: Columns, listen: Listener = ignore) -> Examples:
    """The texts of a table without their labels."""
    texts = table.column(columns.text)
    pairs = None if columns.pair is None else table.column(columns.pair)
    _warn_of_empty(table, [columns.text] if columns.pair is None else [columns.text, columns.pair], listen)
    return Examples(table.path, texts, pairs, None, table.lines)


def labelled_examples(table: Table, columns: Columns, listen: Listener = ignore) -> Examples:
    """The texts of a table with their labels; blanks around a label are taken off.

    Raises:
        DataError: no column of labels, cells without a label (with their lines), only one label, or numbers that are no classes.
    """
    if columns.label is None:
        raise DataError(
            "no-label-column",
            "no column holds labels",
            where=table.path,
            do="name the column of the label with --label; the columns are: {columns}",
            columns=quoted(table.columns),
        )
    labels = [cell.strip() for cell in table.column(columns.label)]
    empty = [line for label, line in zip(labels, table.lines, strict=True) if not label]
    if empty:
        raise DataError(
            "empty-labels",
            "{count} rows have no label in column {column!r}: lines {lines}",
            where=f"{table.path}:{empty[0]}",
            do="fill the labels in, or delete these rows",
            count=len(empty),
            column=columns.label,
            lines=listed(empty),
        )
    _check_classes(table, columns.label, labels)
    return replace(unlabelled_examples(table, columns, listen), labels=labels)


def warn_of_rare_labels(examples: Examples, listen: Listener) -> None:
    """Tell the labels that occur once: such a one can stand in the training examples or be measured, not both."""
    counts = Counter(examples.labels)
    rare = {label for label, count in counts.items() if count == 1}
    if rare:
        lines = [line for label, line in zip(examples.labels or (), examples.lines, strict=True) if label in rare]
        listen(
            warning(
                "rare-labels",
                "{path}: labels that occur once cannot be learned and measured: {labels} (lines {lines})",
                path=examples.path,
                labels=listed(sorted(rare)),
                lines=listed(lines),
            )
        )


def listed(items: Sequence[object]) -> str:
    """The first ten items, and how many more there are."""
    more = f" … (+{len(items) - _LISTED})" if len(items) > _LISTED else ""
    return ", ".join(map(str, items[:_LISTED])) + more


def _check_classes(table: Table, column: str, labels: Sequence[str]) -> None:
    different = set(labels)
    if len(different) == 1:
        raise DataError(
            "one-label",
            "every row has the same label {label!r} in column {column!r}",
            where=table.path,
            do="give examples of at least two classes, or name another column with --label",
            label=labels[0],
            column=column,
        )
    if len(labels) >= _FEW_ROWS and len(different) > len(labels) / 2:
        raise DataError(
            "not-classes",
            "column {column!r} has {different} different values in {rows} rows: these are no classes",
            where=table.path,
            do="name the column of the label with --label",
            column=column,
            different=len(different),
            rows=len(labels),
        )


def _warn_of_empty(table: Table, names: Sequence[str], listen: Listener) -> None:
    for name in names:
        empty = [line for cell, line in zip(table.column(name), table.lines, strict=True) if not cell.strip()]
        if empty:
            listen(
                warning(
                    "empty-texts",
                    "{path}: {count} rows have an empty text in column {column!r}: lines {lines}; they are kept",
                    path=table.path,
                    count=len(empty),
                    column=name,
                    lines=listed(empty),
                )
            )
