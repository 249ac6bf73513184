"""The learning rate of every step, as a pure function of the step."""

from dataclasses import dataclass
from enum import StrEnum


class Decay(StrEnum):
    """How the rate falls after the warm-up."""

    LINEAR = "linear"
    GOOGLE_2018 = "google-2018"


@dataclass(frozen=True)
class Schedule:
    """A linear rise to the peak and a linear fall.

    Args:
        peak: the highest learning rate.
        steps: optimizer steps of the run.
        warmup: share of the steps in which the rate rises.
        decay: `linear` falls from the peak behind the warm-up to 0 behind the last step; `google-2018` is the line of
            optimization.py (google-research/bert), which starts at step 0: the first update has rate 0, and behind the warm-up the
            rate jumps from the peak to peak·(1 - warmup).
    """

    peak: float
    steps: int
    warmup: float
    decay: Decay

    def rate(self, step: int) -> float:
        """The learning rate of step 0, 1, 2 and so on."""
        rising = round(self.steps * self.warmup)
        if self.decay is Decay.GOOGLE_2018:
            return self.peak * (step / rising if step < rising else 1 - step / self.steps)
        if step < rising:
            return self.peak * (step + 1) / rising
        return self.peak * (self.steps - step) / (self.steps - rising)
