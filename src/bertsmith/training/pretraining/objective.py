"""Masked LM and next-sentence prediction as a workload of the loop (Devlin et al. 2019, section 3.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bertsmith.data.batches import PackedBatch
from bertsmith.data.instances import Instances
from bertsmith.models.bert.heads import BertForPretraining, PretrainingLoss
from bertsmith.models.bert.pack import Pack
from bertsmith.training.loop import StepLoss
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.endless_row import EndlessRow
from bertsmith.training.pretraining.general import GENERAL, bits_per_character, characters_of
from bertsmith.training.shares import Whole

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
        later_phases: rows of sequences that take the place of the first one from their first steps on.
        added_to_count: what the number of masked tokens is enlarged by before it divides their losses.
        pair_names: what loss and accuracy of the pair head are called: by what it learns.
        general: instances of a general text, on which forgetting shows, or None.
        continued: whether the first weights are those of a trained model.
    """

    model: BertForPretraining
    instances: Instances
    held_out: Instances | None
    batch_size: int
    micro_batch_tokens: int
    evaluation_instances: int
    later_phases: tuple[EndlessRow, ...] = ()
    added_to_count: float = 0.0
    pair_names: tuple[str, str] = ("nsp_loss", "nsp_accuracy")
    general: Instances | None = None
    continued: bool = False
    name: str = "pretraining"

    def __post_init__(self) -> None:
        self.before: Mapping[str, float] = {}  # what was measured before the first step, where there is a general text
        self.rows = (EndlessRow(self.instances, self.batch_size), *self.later_phases)

    @property
    def measurable(self) -> bool:
        """Whether there is text that is not trained on."""
        return self.held_out is not None or self.general is not None

    def batches(self, step: int) -> list[PackedBatch]:
        """The sequences of a step, from the row of its phase."""
        return next(row for row in reversed(self.rows) if step >= row.first_step).batches(step)

    def loss(self, pack: Pack, whole: Whole) -> StepLoss:
        """The sum of both losses, each a mean over the whole step."""
        loss = self.model(pack, 1 / (whole.masked + self.added_to_count), 1 / whole.sequences)
        return StepLoss(_total(loss), _measures(loss, whole, self.pair_names))

    def evaluate(self, engine: Engine) -> Mapping[str, float]:
        """Loss and accuracy of both objectives on the fixed held-out instances, and of masked LM on the general text."""
        general = self._measured(self._evaluated_general, engine)
        of_general = {f"{GENERAL}_{name}": value for name, value in general.items() if name not in self.pair_names}
        return self._measured(self._evaluated, engine) | of_general

    def _measured(self, batches: Sequence[PackedBatch], engine: Engine) -> dict[str, float]:
        sums: dict[str, Tensor] = {}
        for batch in batches:
            with engine.autocast():
                loss = self.model(Pack.of(batch, engine.device), 1.0, 1.0)
            parts = {"mlm_loss": loss.masked_lm.value, "mlm_accuracy": loss.masked_lm.correct}
            if loss.next_sentence is not None:
                parts |= {self.pair_names[0]: loss.next_sentence.value, self.pair_names[1]: loss.next_sentence.correct}
            for name, value in parts.items():
                sums[name] = sums.get(name, torch.zeros((), dtype=torch.float64)) + value.double().cpu()
        if not sums:
            return {}
        tokens, pairs = sum(len(batch.masked_M) for batch in batches), sum(batch.sequences for batch in batches)
        bits = bits_per_character(float(sums["mlm_loss"]), self._characters(batches))
        means = {name: float(value) / (pairs if name in self.pair_names else tokens) for name, value in sums.items()}
        return means | {"bits_per_character": bits}

    @property
    def evaluated_characters(self) -> int:
        """Characters that the hidden pieces of the evaluation write."""
        return self._characters(self._evaluated)

    @property
    def general_tokens(self) -> int:
        """Masked tokens of the evaluation on the general text."""
        return sum(len(batch.masked_M) for batch in self._evaluated_general)

    def _characters(self, batches: Sequence[PackedBatch]) -> int:
        """Characters that the hidden pieces write."""
        lengths_V = characters_of(self.instances.store.vocabulary)
        return sum(int(lengths_V[batch.labels_M].sum()) for batch in batches)

    @property
    def evaluated_instances(self) -> int:
        """Sequences of the evaluation."""
        return sum(batch.sequences for batch in self._evaluated)

    @cached_property
    def _evaluated(self) -> list[PackedBatch]:
        return self._fixed(self.held_out)

    @cached_property
    def _evaluated_general(self) -> list[PackedBatch]:
        return self._fixed(self.general)

    def _fixed(self, instances: Instances | None) -> list[PackedBatch]:
        """The instances of an evaluation, always the same ones."""
        if instances is None:
            return []
        count = min(self.evaluation_instances, instances.count(0))
        starts = range(0, count, EVALUATION_BATCH)
        return [instances.batch(0, range(first, min(first + EVALUATION_BATCH, count))) for first in starts]

    def evaluated_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """The hidden pieces and the not-next labels of the evaluation, for its baselines."""
        empty = [np.zeros(0, np.int64)]
        return (
            np.concatenate([batch.labels_M for batch in self._evaluated] or empty),
            np.concatenate([batch.targets_B for batch in self._evaluated] or empty),
        )


def _total(loss: PretrainingLoss) -> Tensor:
    return loss.masked_lm.value if loss.next_sentence is None else loss.masked_lm.value + loss.next_sentence.value


def _measures(loss: PretrainingLoss, whole: Whole, names: tuple[str, str]) -> dict[str, Tensor]:
    measures = {"mlm_loss": loss.masked_lm.value, "mlm_accuracy": loss.masked_lm.correct / whole.masked}
    if loss.next_sentence is not None:
        correct = loss.next_sentence.correct / whole.sequences
        measures |= {names[0]: loss.next_sentence.value, names[1]: correct}
    return measures
