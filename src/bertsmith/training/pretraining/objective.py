"""Masked LM and next-sentence prediction as a workload of the loop (Devlin et al. 2019, section 3.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bertsmith.data.batches import PackedBatch, cut_by_tokens
from bertsmith.data.instances import Instances
from bertsmith.models.bert.heads import BertForPretraining, PretrainingLoss
from bertsmith.models.bert.pack import Pack
from bertsmith.training.loop import StepLoss
from bertsmith.training.precision import Engine

EVALUATION_BATCH = 64  # sequences packed together in an evaluation; it does not change the result


@dataclass
class Pretraining:
    """A network, its training instances and, where there are any, held-out ones.

    Args:
        model: the network with both heads.
        instances: the training instances.
        held_out: the held-out instances, or None.
        batch_size: sequences of a step.
        micro_batch_tokens: most tokens of a micro-batch.
        evaluation_instances: how many held-out instances are evaluated; always the same ones, with the same masks.
    """

    model: BertForPretraining
    instances: Instances
    held_out: Instances | None
    batch_size: int
    micro_batch_tokens: int
    evaluation_instances: int
    name: str = "pretraining"

    def __post_init__(self) -> None:
        self._firsts = [0]

    @property
    def measurable(self) -> bool:
        """Whether text is held out."""
        return self.held_out is not None

    def batches(self, step: int) -> list[PackedBatch]:
        """Sequences step·B … of the endless row of epochs, cut into micro-batches."""
        found, position, end = [], step * self.batch_size, (step + 1) * self.batch_size
        while position < end:
            epoch = self.epoch_of(position)
            last = min(end, self._firsts[epoch + 1])
            batch = self.instances.batch(epoch, range(position - self._firsts[epoch], last - self._firsts[epoch]))
            found += cut_by_tokens(batch, self.micro_batch_tokens)
            position = last
        return found

    def epoch_of(self, position: int) -> int:
        """Which epoch a place in the endless row belongs to."""
        while self._firsts[-1] <= position:
            self._firsts.append(self._firsts[-1] + self.instances.count(len(self._firsts) - 1))
        return int(np.searchsorted(self._firsts, position, side="right")) - 1

    def loss(self, pack: Pack, step_batches: Sequence[PackedBatch]) -> StepLoss:
        """The sum of both losses, each a mean over the whole step."""
        loss = self.model(
            pack,
            1 / sum(len(batch.masked_M) for batch in step_batches),
            1 / sum(batch.sequences for batch in step_batches),
        )
        return StepLoss(_total(loss), _measures(loss, step_batches))

    def evaluate(self, engine: Engine) -> Mapping[str, float]:
        """Loss and accuracy of both objectives on the fixed held-out instances; nothing where there are none."""
        sums: dict[str, Tensor] = {}
        for batch in self._evaluated:
            with engine.autocast():
                loss = self.model(Pack.of(batch, engine.device), 1.0, 1.0)
            parts = {"mlm_loss": loss.masked_lm.value, "mlm_accuracy": loss.masked_lm.correct}
            if loss.next_sentence is not None:
                parts |= {"nsp_loss": loss.next_sentence.value, "nsp_accuracy": loss.next_sentence.correct}
            for name, value in parts.items():
                sums[name] = sums.get(name, torch.zeros((), dtype=torch.float64)) + value.double().cpu()
        tokens, pairs = self.evaluated_tokens, self.evaluated_instances
        return {name: float(value) / (tokens if name.startswith("mlm") else pairs) for name, value in sums.items()}

    @property
    def evaluated_tokens(self) -> int:
        """Masked tokens of the evaluation."""
        return sum(len(batch.masked_M) for batch in self._evaluated)

    @property
    def evaluated_instances(self) -> int:
        """Sequences of the evaluation."""
        return sum(batch.sequences for batch in self._evaluated)

    @cached_property
    def _evaluated(self) -> list[PackedBatch]:
        if self.held_out is None:
            return []
        count = min(self.evaluation_instances, self.held_out.count(0))
        starts = range(0, count, EVALUATION_BATCH)
        return [self.held_out.batch(0, range(first, min(first + EVALUATION_BATCH, count))) for first in starts]

    def evaluated_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """The hidden pieces and the not-next labels of the evaluation, for its baselines."""
        empty = [np.zeros(0, np.int64)]
        return (
            np.concatenate([batch.labels_M for batch in self._evaluated] or empty),
            np.concatenate([batch.targets_B for batch in self._evaluated] or empty),
        )


def _total(loss: PretrainingLoss) -> Tensor:
    return loss.masked_lm.value if loss.next_sentence is None else loss.masked_lm.value + loss.next_sentence.value


def _measures(loss: PretrainingLoss, step_batches: Sequence[PackedBatch]) -> dict[str, Tensor]:
    measures = {
        "mlm_loss": loss.masked_lm.value,
        "mlm_accuracy": loss.masked_lm.correct / sum(len(batch.masked_M) for batch in step_batches),
    }
    if loss.next_sentence is not None:
        pairs = sum(batch.sequences for batch in step_batches)
        measures |= {"nsp_loss": loss.next_sentence.value, "nsp_accuracy": loss.next_sentence.correct / pairs}
    return measures
