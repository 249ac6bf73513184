"""A number that says what it is: split, n, seeds, spread and the baseline beside it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One measured number. Pages and the command line accept no bare number as a result.

    Args:
        metric: name of the metric, such as `accuracy`.
        value: the value; the mean where there are several seeds.
        split: the split that it was measured on: `train`, `dev` or `test`.
        n: how many examples (or masked tokens, or pairs) it was measured on.
        seeds: how many runs the mean is over; 0 where nothing random is involved.
        spread: sample standard deviation over the seeds, None below two.
        baseline: name and value of what it is to be compared with, where there is one.
    """

    metric: str
    value: float
    split: str
    n: int
    seeds: int = 0
    spread: float | None = None
    baseline: tuple[str, float] | None = None

    @classmethod
    def over_seeds(
        cls, metric: str, values: Sequence[float], split: str, n: int, baseline: tuple[str, float] | None = None
    ) -> "Score":
        """The mean of a metric over seeds, with its spread."""
        spread = statistics.stdev(values) if len(values) > 1 else None
        return cls(metric, statistics.fmean(values), split, n, len(values), spread, baseline)

    def text(self, digits: int = 3) -> str:
        """The value as a reader sees it: `.491 ± .012`."""
        if math.isnan(self.value):
            return "–"
        spread = "" if self.spread is None else f" ± {self.spread:.{digits}f}"
        return f"{self.value:.{digits}f}{spread}"
