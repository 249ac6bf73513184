"""The class of a text or of a pair of texts: labels, head, decoding and scores."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsmith.data.examples import Examples, listed
from bertsmith.errors import CheckpointError, DataError
from bertsmith.tasks.metrics import ClassificationResult, classification_result
from bertsmith.tasks.task import Floats, Head, Targets

SINGLE, PAIR = "classify", "classify-pairs"
_UNEVEN = 3.0  # from this ratio of the largest to the smallest class on, macro-F1 chooses; assumed


@dataclass(frozen=True)
class ClassAnswer:
    """The likeliest class of one example, and the probability of each class in the order of the task's labels."""

    label: str
    probability: float
    probabilities: tuple[float, ...]

    def cells(self) -> dict[str, str | float]:
        """The answer as columns of a table."""
        return {"predicted_label": self.label, "probability": self.probability}


@dataclass(frozen=True)
class Classification:
    """Which of a few classes a text, or a pair of texts, belongs to.

    Args:
        labels: names of the classes (C) in the order of the head's numbers.
        pairs: whether an example is two texts.
        selection: what dev chooses by. `accuracy` where the classes are of similar size; `macro_f1` where the largest is at
            least three times the smallest, for there a model that never answers a rare class loses almost no accuracy.
    """

    labels: tuple[str, ...]
    pairs: bool = False
    selection: str = "accuracy"

    @classmethod
    def of(cls, examples: Examples) -> "Classification":
        """The task that labelled training examples set; labels in numeric order where all are numbers, else sorted."""
        counts = Counter(examples.labels)
        uneven = max(counts.values()) >= _UNEVEN * min(counts.values())
        return cls(_in_order(counts), examples.pairs is not None, "macro_f1" if uneven else "accuracy")

    @classmethod
    def from_about(cls, about: Mapping[str, Any], where: object = None) -> "Classification":
        """The task that a model folder's `bertsmith.json` names; `where` is the folder, for messages.

        Raises:
            CheckpointError: it names no classification.
        """
        if about.get("task") not in (SINGLE, PAIR) or not about.get("labels"):
            raise CheckpointError(
                "not-a-classifier",
                "the model was not fine-tuned to classify",
                where=where,
                do="fine-tune it first, or give the folder of a fine-tuned model",
            )
        labels = tuple(map(str, about["labels"]))
        return cls(labels, about["task"] == PAIR, str(about.get("selection", "accuracy")))

    def about(self) -> dict[str, Any]:
        """What the model folder's `bertsmith.json` says."""
        return {"task": PAIR if self.pairs else SINGLE, "labels": list(self.labels), "selection": self.selection}

    @property
    def head(self) -> Head:
        """A linear layer on the pooled output, one number a class."""
        return Head("classifier", len(self.labels))

    def targets(self, names: Sequence[str], where: object = None) -> Targets:
        """The number of each label; `where` is the table, for messages.

        Raises:
            DataError: labels that the task does not have.
        """
        number = {label: place for place, label in enumerate(self.labels)}
        unknown = [name for name in dict.fromkeys(names) if name not in number]
        if unknown:
            raise DataError(
                "unknown-labels",
                "labels that the training examples do not have: {unknown}",
                where=where,
                do="the labels are: {labels}; mend the table, or name another column with --label",
                unknown=listed(unknown),
                labels=listed(self.labels),
            )
        return np.array([number[name] for name in names], np.int64)

    def decode(self, logits_BC: Floats) -> list[ClassAnswer]:
        """The likeliest class of each example, probabilities by softmax in float64."""
        probabilities_BC = softmax(logits_BC)
        best_B = probabilities_BC.argmax(1) if len(probabilities_BC) else []
        return [
            ClassAnswer(self.labels[best], float(row[best]), tuple(row.tolist()))
            for best, row in zip(best_B, probabilities_BC, strict=True)
        ]

    def measure(self, logits_BC: Floats, targets_B: Targets) -> ClassificationResult:
        """Accuracy, macro-F1, Matthews' correlation and the scores of each class."""
        return classification_result(self.labels, targets_B, np.asarray(logits_BC).argmax(1), self.selection)


def softmax(logits_BC: Floats) -> Floats:
    """Probabilities of each row in float64."""
    logits = np.asarray(logits_BC, np.float64)
    powers_BC = np.exp(logits - logits.max(1, keepdims=True))
    probabilities_BC: Floats = powers_BC / powers_BC.sum(1, keepdims=True)
    return probabilities_BC


def _in_order(labels: Mapping[str, int]) -> tuple[str, ...]:
    try:
        numbers = {label: float(label) for label in labels}
    except ValueError:
        return tuple(sorted(labels))
    if not all(map(math.isfinite, numbers.values())):  # such as a label "nan", which has no place among numbers
        return tuple(sorted(labels))
    return tuple(sorted(labels, key=lambda label: (numbers[label], label)))
