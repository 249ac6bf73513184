"""The learning rate of every step, as a pure function of the step."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Decay(StrEnum):
    """How the rate falls after the warm-up.

    `linear` falls from the peak behind the warm-up to 0 behind the last step. `cosine` falls between the same points along half a cosine
    (Loshchilov and Hutter 2017, without restarts). `constant` stays at the peak and falls linearly over the last share of the steps
    (Zhai et al. 2022, section 3.5; Hägele et al. 2024: about as good as cosine, and the run can be prolonged from before the fall).
    `google-2018` is the line of optimization.py (google-research/bert), which starts at step 0: the first update has rate 0, and
    behind the warm-up the rate jumps from the peak to peak·(1 - warmup).
    """

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"
    GOOGLE_2018 = "google-2018"


@dataclass(frozen=True)
class Schedule:
    """A linear rise to the peak and a fall.

    Args:
        peak: the highest learning rate.
        steps: optimizer steps of the run.
        warmup: share of the steps in which the rate rises.
        decay: how it falls.
        decay_share: share of the steps over which `constant` falls at the end.
    """

    peak: float
    steps: int
    warmup: float
    decay: Decay
    decay_share: float = 0.2  # Hägele et al. 2024, section 3.2: more gains little

    def rate(self, step: float) -> float:
        """The learning rate of step 0, 1, 2 and so on; places between two steps have one as well."""
        rising = round(self.steps * self.warmup)
        if self.decay is Decay.GOOGLE_2018:
            return self.peak * (step / rising if step < rising else 1 - step / self.steps)
        if step < rising:
            return self.peak * (step + 1) / rising
        left = (self.steps - step) / (self.steps - rising)
        if self.decay is Decay.COSINE:
            return self.peak * (1 - math.cos(math.pi * left)) / 2
        if self.decay is Decay.CONSTANT:
            falling = min(self.steps * self.decay_share, self.steps - rising)
            return self.peak * (min(1.0, (self.steps - step) / falling) if falling else 1.0)
        return self.peak * left
