"""What packing may and may not do."""

import numpy as np
import torch
from bert_helpers import CONFIG, LENGTHS, assert_close, gradients, masked_batch, network, sequences
from hypothesis import given
from hypothesis import strategies as st

from bertsmith.data.batches import cut_by_tokens, pack
from bertsmith.models.bert.attention import attend, attend_in_one_kernel
from bertsmith.models.bert.pack import Group, Pack, groups_of


def test_packing_never_lets_two_sequences_attend_to_each_other():
    model = network()
    ids, segments = sequences()
    with torch.no_grad():
        for changed in range(len(LENGTHS)):
            batch = pack(ids, segments)
            before_TD = model.bert(Pack.of(batch))
            others = [row.copy() for row in ids]
            others[changed] = others[changed] % (CONFIG.vocab_size - 1) + 1
            after_TD = model.bert(Pack.of(pack(others, segments)))
            at = int(np.flatnonzero(batch.order_B == changed)[0])
            own = torch.zeros(batch.tokens, dtype=torch.bool)
            own[batch.cu_seqlens[at] : batch.cu_seqlens[at + 1]] = True
            assert torch.equal(before_TD[~own], after_TD[~own])
            assert not torch.equal(before_TD[own], after_TD[own])


def test_no_gradient_flows_from_a_sequence_to_its_neighbours():
    model, batch = network(), masked_batch()
    plan = Pack.of(batch)
    embedded_TD = model.bert.embeddings(plan).detach().requires_grad_()
    x_TD = embedded_TD
    for layer in model.bert.layers:
        x_TD = layer(x_TD, plan)
    start, end = batch.cu_seqlens[2], batch.cu_seqlens[3]
    x_TD[start:end].square().sum().backward()
    touched = embedded_TD.grad.abs().sum(1) > 0
    assert touched[start:end].all()
    assert int(touched.sum()) == end - start


def test_the_vectors_of_a_sequence_do_not_depend_on_its_neighbours():
    model = network()
    ids, segments = sequences()
    batch = pack(ids, segments)
    with torch.no_grad():
        together_TD = model.bert(Pack.of(batch))
        for at, which in enumerate(batch.order_B):
            alone_TD = model.bert(Pack.of(pack([ids[which]], [segments[which]])))
            assert_close(together_TD[batch.cu_seqlens[at] : batch.cu_seqlens[at + 1]], alone_TD)


def test_rows_that_are_asked_for_are_those_of_all_with_the_same_gradients():
    plan = Pack.of(masked_batch())
    rows_R = torch.cat([plan.firsts_B, plan.masked_M])
    weights_RD = torch.randn(len(rows_R), CONFIG.hidden_size, generator=torch.Generator().manual_seed(0))
    found = []
    for asked in (None, rows_R):
        model = network()
        hidden_TD = model.bert(plan, asked)
        read_RD = hidden_TD[rows_R] if asked is None else hidden_TD
        (read_RD * weights_RD).sum().backward()
        assert model.bert.pooler.weight.grad is None
        found.append((read_RD.detach(), {name: p.grad for name, p in model.bert.named_parameters() if p.grad is not None}))
    (all_RD, of_all), (some_RD, of_some) = found
    assert_close(some_RD, all_RD)
    assert of_some.keys() == of_all.keys()
    for name, gradient in of_all.items():
        assert_close(of_some[name], gradient)


def by_sequence(q_TNH, k_TNH, v_TNH, bounds, same, longest, same_longest):
    """What torch's `varlen_attn` documents, a sequence at a time; its own kernels exist on CUDA alone."""
    assert bounds.dtype == torch.int32 and bounds is same and longest == same_longest == int(bounds.diff().max())
    mixed = []
    for first, last in zip(bounds.tolist(), bounds.tolist()[1:]):
        q_NSH, k_NSH, v_NSH = (x_TNH[first:last].transpose(0, 1) for x_TNH in (q_TNH, k_TNH, v_TNH))
        mixed.append(torch.nn.functional.scaled_dot_product_attention(q_NSH, k_NSH, v_NSH).transpose(0, 1))
    return torch.cat(mixed)


def test_one_kernel_over_the_pack_is_given_what_the_groups_compute(monkeypatch):
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", by_sequence)
    plan, generator = Pack.of(masked_batch()), torch.Generator().manual_seed(0)
    qkv_T3D = torch.randn(len(plan.ids_T), 3 * CONFIG.hidden_size, generator=generator)
    heads, found = CONFIG.num_attention_heads, []
    for way in (lambda x: attend(x, plan, heads, 0.0), lambda x: attend_in_one_kernel(x, plan, heads)):
        leaf_T3D = qkv_T3D.clone().requires_grad_()
        mixed_TD = way(leaf_T3D)
        mixed_TD.square().sum().backward()
        found.append((mixed_TD.detach(), leaf_T3D.grad))
    for grouped, in_one in zip(*found):
        assert_close(in_one, grouped)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=200))
def test_groups_cover_all_sequences_and_waste_at_most_a_tenth_of_the_attention(lengths):
    rising = np.sort(np.array(lengths))
    groups = groups_of(rising)
    assert [first for first, _ in groups] == [0, *(last for _, last in groups[:-1])]
    assert groups[-1][1] == len(rising)
    for first, last in groups:
        part = rising[first:last]
        assert len(part) * int(part.max()) ** 2 <= 1.1 * int((part**2).sum()) * (1 + 1e-12)


def test_a_padded_group_and_groups_of_equal_length_give_the_same_outputs_and_gradients():
    batch = masked_batch((28, 29, 30, 30), masked=9)
    plan = Pack.of(batch)
    assert [group.padded_keys is not None for group in plan.groups] == [True]
    alone = tuple(
        Group((int(start), int(end)), 1, int(end - start))
        for start, end in zip(batch.cu_seqlens[:-1], batch.cu_seqlens[1:], strict=True)
    )
    found = []
    for groups in (plan.groups, alone):
        model = network()
        pack_ = Pack(**{**vars(plan), "groups": groups})
        loss = model(pack_, 1 / 9, 1 / 4)
        total = loss.masked_lm.value + loss.next_sentence.value
        total.backward()
        found.append((total.detach(), gradients(model)))
    assert_close(found[0][0], found[1][0])
    for name, gradient in found[1][1].items():
        assert_close(found[0][1][name], gradient)


def test_the_masked_lm_head_sees_masked_rows_only():
    model, batch = network(), masked_batch()
    seen = []
    model.masked_lm.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape))
    model(Pack.of(batch), 1.0, 1.0)
    assert seen == [(len(batch.masked_M), CONFIG.hidden_size)]


def test_micro_batches_add_up_to_the_loss_and_the_gradient_of_the_whole():
    batch = masked_batch(tuple(range(3, 43)), masked=60)
    found = []
    for budget in (16, 100, 10_000):
        model = network()
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        total = 0.0
        pieces = cut_by_tokens(batch, budget)
        for piece in pieces:
            loss = model(Pack.of(piece), 1 / len(batch.masked_M), 1 / batch.sequences)
            value = loss.masked_lm.value + loss.next_sentence.value
            value.backward()
            total += float(value)
        found.append((total, gradients(model), len(pieces)))
    assert len({pieces for _, _, pieces in found}) == 3
    whole = found[-1]
    for total, parts, _ in found[:-1]:
        assert abs(total - whole[0]) <= 1e-6 * whole[0]
        for name, gradient in whole[1].items():
            assert_close(parts[name], gradient, 1e-6)


def test_a_pack_without_pairs_has_no_next_sentence_loss():
    batch = masked_batch()
    plan = Pack.of(batch)
    loss = network()(Pack(**{**vars(plan), "targets_B": plan.targets_B[:0]}), 1.0, 1.0)
    assert loss.next_sentence is None
