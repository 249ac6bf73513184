"""Everything that is known of a training run before it begins, put together."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Flops, Pass, flops
from bertsmith.config.estimate.memory import Precision, TrainingMemory, training_memory
from bertsmith.config.estimate.memory_textbook import (
    Attention,
    InferenceMemory,
    TextbookMemory,
    inference_memory,
    textbook_memory,
)
from bertsmith.config.estimate.parameters import Parameters, parameters
from bertsmith.config.estimate.work import Work, micro_batches, typical_batch


@dataclass(frozen=True)
class Estimate:
    """What a config costs.

    Args:
        config: as it is trained, with its dropout.
        lengths: of the sequences of a typical step.
        parameters: of each part.
        work: of a step, without padding.
        micro: the largest micro-batch.
        padded: the same sequences padded to the longest, the masked LM head on every row.
        forward: operations of a step's forward pass.
        training: operations of a whole step; with recomputation where that is asked for.
        padded_training: the same, padded.
        memory: of our own training on a processor.
        cuda: of PyTorch's usual way on a GPU, by attention and by whether layers are recomputed; the sequences of a micro-batch.
        inference: of encoding the sequences of a micro-batch, fp32 and bf16.
    """

    config: BertConfig
    lengths: tuple[int, ...]
    parameters: Parameters
    work: Work
    micro: Work
    padded: Work
    forward: Flops
    training: Flops
    padded_training: Flops
    memory: TrainingMemory
    cuda: dict[tuple[Attention, bool], TextbookMemory]
    inference: dict[Precision, InferenceMemory]


def estimate(
    config: BertConfig,
    lengths: Sequence[int],
    *,
    batch_size: int,
    micro_batch_tokens: int,
    masked_share: float,
    precision: Precision,
    recompute: bool,
) -> Estimate:
    """Reckon everything that needs no measurement.

    Args:
        config: as it is trained, with its dropout.
        lengths: a sample of lengths of sequences.
        batch_size: sequences of a step.
        micro_batch_tokens: most tokens of a micro-batch.
        masked_share: share of the tokens to predict.
        precision: of the products.
        recompute: whether layers are computed anew for backward.
    """
    batch = typical_batch(lengths, batch_size)
    pieces = [Work.of(piece, masked_share) for piece in dict.fromkeys(map(tuple, micro_batches(batch, micro_batch_tokens)))]
    memory, micro = max(
        ((training_memory(config, piece, precision), piece) for piece in pieces), key=lambda found: found[0].total
    )
    work = Work.of(batch, masked_share)
    padded = Work.padded(batch_size, batch[-1])
    which = Pass.RECOMPUTED if recompute else Pass.TRAINING
    at_once = Work.padded(int(micro.sequences), batch[-1])
    return Estimate(
        config=config,
        lengths=tuple(batch),
        parameters=parameters(config),
        work=work,
        micro=micro,
        padded=padded,
        forward=flops(config, work, Pass.FORWARD),
        training=flops(config, work, which),
        padded_training=flops(config, padded, which),
        memory=memory,
        cuda={
            (attention, again): textbook_memory(config, at_once, precision, attention, recompute=again)
            for attention in Attention
            for again in (False, True)
        },
        inference={kind: inference_memory(config, micro, kind) for kind in Precision},
    )
