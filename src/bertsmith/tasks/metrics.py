"""Scores of a classifier from its confusion matrix, and how sure a difference between two of them is."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bertsmith import seeds
from bertsmith.messages import Phrase
from bertsmith.records.page import Confusion, Item, Table
from bertsmith.records.scores import Score

Counts = NDArray[np.int64]
_DRAWS_AT_ONCE = 2**20  # random numbers in memory; assumed
_SAMPLES = 2000  # the ends of a 95 % interval then move by about a tenth of its width; assumed


@dataclass(frozen=True)
class ClassScore:
    """One class: of its answers the share that is right, of its examples the share that was found."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ClassificationResult:
    """The confusion matrix of a classifier on a split, and the scores that follow from it.

    Args:
        labels: names of the classes (C).
        counts: (C, C), `counts[i, j]` examples have class i and were answered j.
        selection: the metric that is told first: `accuracy` or `macro_f1`.
    """

    labels: tuple[str, ...]
    counts: Counts
    selection: str = "accuracy"

    @property
    def n(self) -> int:
        """How many examples were measured."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Share of right answers; nan without examples."""
        return float(np.trace(self.counts) / self.n) if self.n else math.nan

    @property
    def per_class(self) -> tuple[ClassScore, ...]:
        """Each class by itself; a share of nothing counts as 0."""
        right_C = np.diag(self.counts)
        answered_C, support_C = self.counts.sum(0), self.counts.sum(1)
        return tuple(
            ClassScore(label, _share(hit, answered), _share(hit, support), _share(2 * hit, answered + support), int(support))
            for label, hit, answered, support in zip(self.labels, right_C, answered_C, support_C, strict=True)
        )

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that occur as label or answer, each counting the same (as in scikit-learn)."""
        occurs_C = (self.counts.sum(0) + self.counts.sum(1)) > 0
        f1 = [score.f1 for score, occurs in zip(self.per_class, occurs_C, strict=True) if occurs]
        return sum(f1) / len(f1) if f1 else math.nan

    @property
    def mcc(self) -> float:
        """Matthews' correlation for any number of classes (Gorodkin 2004, equation 8); 0 where labels or answers are constant."""
        n, right = float(self.n), float(np.trace(self.counts))
        answered_C, support_C = self.counts.sum(0).astype(float), self.counts.sum(1).astype(float)
        below = math.sqrt(float((n**2 - answered_C @ answered_C) * (n**2 - support_C @ support_C)))
        return float(n * right - answered_C @ support_C) / below if below else 0.0

    @property
    def selected(self) -> float:
        """The value of the metric that chooses."""
        return self.macro_f1 if self.selection == "macro_f1" else self.accuracy

    def scores(self, split: str) -> list[Score]:
        """Accuracy, macro-F1 and Matthews' correlation, the one that chooses first."""
        values = {"accuracy": self.accuracy, "macro_f1": self.macro_f1, "mcc": self.mcc}
        names = sorted(values, key=lambda name: name != self.selection)
        return [Score(name, values[name], split, self.n) for name in names]

    def items(self) -> tuple[Item, ...]:
        """The table of the classes and the confusion matrix."""
        columns = (("class", "类别"), ("precision", "精确率"), ("recall", "召回率"), ("F1", "F1"), ("examples", "样本数"))
        rows = tuple((s.label, s.precision, s.recall, s.f1, s.support) for s in self.per_class)
        counts = tuple(tuple(map(int, row)) for row in self.counts)
        return (
            Table(Phrase("Scores of each class", "各类别得分"), tuple(Phrase(*column) for column in columns), rows),
            Confusion(Phrase("Confusion: label by answer", "混淆矩阵：标签 × 预测"), self.labels, counts),
        )

    def as_json(self) -> dict[str, Any]:
        """The plain numbers for a record."""
        return {
            "n": self.n,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "mcc": self.mcc,
            "per_class": [vars(score) for score in self.per_class],
            "confusion": self.counts.tolist(),
        }


def classification_result(
    labels: tuple[str, ...], targets_B: ArrayLike, answers_B: ArrayLike, selection: str = "accuracy"
) -> ClassificationResult:
    """The result of answers (class numbers) against targets."""
    C = len(labels)
    cells_B = np.asarray(targets_B, np.int64) * C + np.asarray(answers_B, np.int64)
    return ClassificationResult(labels, np.bincount(cells_B, minlength=C * C).reshape(C, C), selection)


@dataclass(frozen=True)
class Difference:
    """How much one model is better than another on the same examples, with its interval."""

    value: float
    low: float
    high: float
    n: int


def paired_difference(right_B: ArrayLike, other_right_B: ArrayLike, *, seed: int, samples: int = _SAMPLES) -> Difference:
    """Difference in accuracy with its 95 % percentile bootstrap interval over examples (Efron 1979), drawn in pairs.

    Args:
        right_B: for each example whether one model was right; over several seeds the share of them.
        other_right_B: the same of the other model.
        seed: of the draws.
        samples: how many bootstrap samples.
    """
    gains_B = np.asarray(right_B, np.float64) - np.asarray(other_right_B, np.float64)
    n = len(gains_B)
    at_once = max(1, _DRAWS_AT_ONCE // n)
    means = []
    for start in range(0, samples, at_once):
        sample = np.arange(start, min(samples, start + at_once))[:, None]
        means.append(gains_B[seeds.below(n, seed, "bootstrap", sample, np.arange(n)[None, :])].mean(1))
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return Difference(float(gains_B.mean()), float(low), float(high), n)


def _share(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0
