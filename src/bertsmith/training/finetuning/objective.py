"""Classification of texts and pairs as a workload of the loop (Devlin et al. 2019, section 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bertsmith.data.batches import PackedBatch
from bertsmith.data.encoded import Encoded
from bertsmith.models.bert.heads import BertForClassification
from bertsmith.models.bert.losses import class_loss
from bertsmith.models.bert.pack import Pack
from bertsmith.seeds import permute
from bertsmith.tasks.classification import Classification
from bertsmith.training.loop import StepLoss
from bertsmith.training.precision import Engine
from bertsmith.training.shares import Whole

EVALUATION_TOKENS = 4096  # of a packed batch in an evaluation; it does not change the result beyond rounding


@dataclass
class Finetuning:
    """A network with a classification head, its examples, and the dev examples.

    Args:
        network: the network.
        task: what is asked.
        train: training examples with their class numbers.
        dev: dev examples with their class numbers.
        batch_size: examples of a step.
        micro_batch_tokens: most tokens of a micro-batch.
        seed: decides the order of the examples.
    """

    network: BertForClassification
    task: Classification
    train: tuple[Encoded, NDArray[np.int64]]
    dev: tuple[Encoded, NDArray[np.int64]]
    batch_size: int
    micro_batch_tokens: int
    seed: int

    @property
    def name(self) -> str:
        """The stage as a reader sees it."""
        return f"fine-tuning seed {self.seed}"

    @property
    def model(self) -> nn.Module:
        """The network that the loop trains."""
        return self.network

    @property
    def measurable(self) -> bool:
        """Whether there are dev examples."""
        return len(self.dev[1]) > 0

    @property
    def steps_of_epoch(self) -> int:
        """Steps of one pass; the last one may have fewer examples."""
        return -(-len(self.train[1]) // self.batch_size)

    def batches(self, step: int) -> list[PackedBatch]:
        """The examples of a step: a stretch of the epoch's keyed permutation."""
        encoded, targets = self.train
        epoch, first = divmod(step, self.steps_of_epoch)
        places = np.arange(first * self.batch_size, min((first + 1) * self.batch_size, len(targets)))
        index = permute(places, len(targets), self.seed, "order of examples", epoch)
        return [encoded.pack(index, targets[index])]

    def loss(self, pack: Pack, whole: Whole) -> StepLoss:
        """Cross-entropy, a mean over the whole step."""
        loss = class_loss(self.network(pack), pack.targets_B, 1 / whole.sequences)
        return StepLoss(loss.value, {"loss": loss.value, "accuracy": loss.correct / whole.sequences})

    def evaluate(self, engine: Engine) -> Mapping[str, float]:
        """Dev loss and the metric that dev chooses by."""
        encoded, targets = self.dev
        logits_BC = logits(self.network, encoded, engine)
        loss = class_loss(torch.from_numpy(logits_BC), torch.from_numpy(targets), 1 / max(len(targets), 1))
        measured = self.task.measure(logits_BC, targets)
        return {"loss": float(loss.value), self.task.selection: measured.selected}


def logits(network: BertForClassification, encoded: Encoded, engine: Engine) -> NDArray[np.float32]:
    """Logits of every example in the caller's order, dropout off: (B, C)."""
    found = np.zeros((len(encoded), network.classifier.out_features), np.float32)
    training = network.training
    network.eval()
    with torch.inference_mode():
        for index in encoded.by_length(EVALUATION_TOKENS):
            batch = encoded.pack(index)
            with engine.autocast():
                logits_BC = network(Pack.of(batch, engine.device))
            found[index[batch.order_B]] = logits_BC.float().cpu().numpy()
    network.train(training)
    return found
