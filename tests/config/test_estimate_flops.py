"""Operations against torch's counter: transformers' padded model to the digit, our own step within one percent."""

import numpy as np
import pytest
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.work import Work, micro_batches, typical_batch
from bertsmith.config.presets import preset
from bertsmith.data.batches import cut_by_tokens
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.pack import Pack
from bertsmith.training.optimizer import AdamW, Flavour
from bertsmith.training.pretraining.probe import MadeInstances

SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
FIVE = ("tiny", "mini", "small", "base", "chinese")


def counted_by_torch(config: BertConfig, sequences: int, length: int, *, recompute: bool = False) -> tuple[int, int]:
    """Operations of forward, and of forward and backward, of transformers' model with eager attention."""
    values = {name: getattr(config, name) for name in SIZES}
    with torch.device("meta"):
        model = transformers.BertForPreTraining(transformers.BertConfig(**values, attn_implementation="eager")).train()
        ids = torch.zeros(sequences, length, dtype=torch.long)
        next_sentence = torch.zeros(sequences, dtype=torch.long)
    if recompute:
        model.gradient_checkpointing_enable()
    with FlopCounterMode(display=False) as counter:
        loss = model(input_ids=ids, token_type_ids=ids, labels=ids, next_sentence_label=next_sentence).loss
        forward = counter.get_total_flops()
        loss.backward()
    return forward, counter.get_total_flops()


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize(("sequences", "length"), [(1, 512), (3, 24)])
def test_the_padded_model_costs_what_torch_counts_to_the_digit(name, sequences, length):
    config, work = preset(name), Work.padded(sequences, length)
    forward, both = counted_by_torch(config, sequences, length)
    assert flops(config, work, Pass.FORWARD).total == forward
    assert flops(config, work, Pass.TRAINING).total == both


def test_recomputation_costs_what_torch_counts_with_checkpointing():
    config, work = preset("mini"), Work.padded(2, 40)
    assert flops(config, work, Pass.RECOMPUTED).total == counted_by_torch(config, 2, 40, recompute=True)[1]


class AllProducts(FlopCounterMode):
    """torch's counter, with the products that it does not know: those in place, and matrix by vector."""

    def __init__(self) -> None:
        addmm_ = lambda self_, a, b, **_: 2 * a[0] * a[1] * b[1]  # noqa: E731
        mv = lambda a, x, **_: 2 * a[0] * a[1]  # noqa: E731
        super().__init__(display=False, custom_mapping={torch.ops.aten.addmm_: addmm_, torch.ops.aten.mv: mv})


@pytest.mark.parametrize("name", ["tiny", "mini"])
@pytest.mark.parametrize("kind", ["equal", "mixed"])
def test_our_own_step_costs_what_its_products_add_up_to_within_one_percent(name, kind):
    config = preset(name, vocab_size=5000)
    lengths = [96] * 6 if kind == "equal" else np.random.default_rng(0).integers(6, 200, 12).tolist()
    model = BertForPretraining(config)
    initialize(model, 0.02, 0)
    AdamW(model, Flavour.CORRECTED, 0.01)  # its flat gradients decide which products backward takes
    batch = MadeInstances(lengths, config.vocab_size, 0.15).batch(0, range(len(lengths)))
    with AllProducts() as counter:
        loss = model(Pack.of(batch), 1 / len(batch.masked_M), 1 / batch.sequences)
        forward = counter.get_total_flops()
        (loss.masked_lm.value + loss.next_sentence.value).backward()
    work = Work.of(lengths, 0.15)
    assert len(batch.masked_M) == work.predicted
    assert flops(config, work, Pass.FORWARD).total == pytest.approx(forward, rel=0.01)
    assert flops(config, work, Pass.TRAINING).total == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_padding_and_the_head_on_every_row_are_what_unpadded_work_saves():
    config, lengths = preset("mini"), [20, 60, 128]
    padded, real = (flops(config, work, Pass.TRAINING) for work in (Work.padded(3, 128), Work.of(lengths, 0.15)))
    assert real.scores / padded.scores == pytest.approx(sum(length**2 for length in lengths) / (3 * 128**2))
    # 3 of 4 layers go through all tokens, the last one behind its attention through those that a head reads
    assert real.feed_forward / padded.feed_forward == pytest.approx((3 * sum(lengths) + 3 + 31) / (4 * 384))
    assert real.masked_lm / padded.masked_lm == pytest.approx(Work.of(lengths, 0.15).predicted / 384)


def test_micro_batches_are_cut_as_training_cuts_them():
    lengths = np.random.default_rng(1).integers(8, 120, 40).tolist()
    batch = MadeInstances(lengths, 1000, 0.15).batch(0, range(40))
    ours = [np.diff(piece.cu_seqlens).tolist() for piece in cut_by_tokens(batch, 300)]
    assert micro_batches(lengths, 300) == ours


def test_a_typical_batch_has_the_mean_of_all_lengths():
    lengths = np.random.default_rng(2).integers(8, 120, 5000).tolist()
    batch = typical_batch(lengths, 32)
    assert len(batch) == 32
    assert sum(batch) / 32 == pytest.approx(np.mean(lengths), rel=0.02)
    assert typical_batch([128], 4) == [128] * 4
