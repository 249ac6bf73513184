"""The sequences of a run as an endless row: the epochs one after another, a step a stretch of it."""

import numpy as np

from bertsmith.data.batches import PackedBatch
from bertsmith.data.instances import Instances


class EndlessRow:
    """The row of one phase.

    Args:
        instances: its instances.
        batch_size: sequences of a step.
        first_step: the step of the run with which the row begins.
    """

    def __init__(self, instances: Instances, batch_size: int, first_step: int = 0) -> None:
        self.instances, self.batch_size, self.first_step = instances, batch_size, first_step
        self._firsts = [0]

    def batches(self, step: int) -> list[PackedBatch]:
        """The sequences of a step of the run; two stretches where an epoch ends in it."""
        position = (step - self.first_step) * self.batch_size
        found, end = [], position + self.batch_size
        while position < end:
            epoch = self.epoch_of(position)
            last = min(end, self._firsts[epoch + 1])
            found.append(self.instances.batch(epoch, range(position - self._firsts[epoch], last - self._firsts[epoch])))
            position = last
        return found

    def epoch_of(self, position: int) -> int:
        """Which epoch a place in the row belongs to."""
        while self._firsts[-1] <= position:
            self._firsts.append(self._firsts[-1] + self.instances.count(len(self._firsts) - 1))
        return int(np.searchsorted(self._firsts, position, side="right")) - 1
