"""Pretraining as a workload of the loop."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny_pretraining import ENGINE, VOCABULARY, make_config, make_settings, make_store

from bertsmith.data.corpus import Document
from bertsmith.data.instance_recipe import objective_of
from bertsmith.data.instance_settings import Objective
from bertsmith.data.token_store import write_store
from bertsmith.errors import ConfigError, DataError, UsageError
from bertsmith.progress import Advance, Note, ignore
from bertsmith.records.run import RunFolder
from bertsmith.training.loop import evaluate
from bertsmith.training.pretraining.baselines import majority, unigram
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.recipe import config_of
from bertsmith.training.pretraining.run import run, scores_of, start_of, workload_of
from bertsmith.training.shares import share_of

PLAIN = {"recipe": "lean", "weight_decay": 0.0}


@pytest.fixture
def store(tmp_path):
    make_config(tmp_path)
    return make_store(tmp_path)


def workload(tmp_path, store, objective=Objective.MLM_NSP, **changes):
    settings = make_settings(tmp_path, tmp_path / "run", **changes)
    return settings, workload_of(settings, store, start_of(settings, store, ignore), objective)


def trained(tmp_path, store, name, objective=Objective.MLM_NSP, listen=ignore, **changes):
    settings, made = workload(tmp_path, store, objective, **changes)
    folder = RunFolder(tmp_path / name)
    folder.path.mkdir()
    run(settings, made, ENGINE, folder, listen)
    return made, list(folder.read_log())


def test_a_predictable_text_is_learned_below_the_unigram(tmp_path, store):
    config = make_config(tmp_path, width=32)
    changes = {**PLAIN, "model": str(config), "steps": 240, "batch_size": 32, "micro_batch_tokens": 4096, "learning_rate": 1e-2}
    made, _ = trained(tmp_path, store, "learned", evaluate_every=1000, save_every=1000, **changes)
    scores = {score.metric: score for score in scores_of(made, store, ENGINE)}
    assert scores["mlm_loss"].baseline[0] == "unigram"
    assert scores["mlm_loss"].baseline[1] == pytest.approx(math.log(40), rel=0.1)
    assert scores["mlm_loss"].value < 0.8 * scores["mlm_loss"].baseline[1]
    assert scores["mlm_accuracy"].value > 2 * scores["mlm_accuracy"].baseline[1]
    assert scores["nsp_accuracy"].n == made.evaluated_instances
    assert all(score.split == "held-out" for score in scores.values())


def test_the_size_of_micro_batches_changes_neither_losses_nor_gradients(tmp_path, store):
    logs = []
    for budget in (32, 10_000):
        made, log = trained(tmp_path, store, f"run{budget}", steps=6, **PLAIN, micro_batch_tokens=budget)
        logs.append([line for line in log if "gradient_norm" in line])
        assert (len(share_of(made.batches(0), budget).parts) > 1) is (budget == 32)
    for small, large in zip(*logs, strict=True):
        assert small == pytest.approx(large, rel=1e-4)  # the updates of Adam magnify rounding from step to step
    assert logs[0][0] == pytest.approx(logs[1][0], rel=1e-6)


def test_the_log_tells_losses_norms_evaluations_and_the_share_of_not_next(tmp_path, store):
    _, log = trained(tmp_path, store, "logged", steps=8)
    steps = [line for line in log if "gradient_norm" in line]
    assert [line["step"] for line in steps] == list(range(1, 9))
    assert steps[0].keys() == {"step", "mlm_loss", "mlm_accuracy", "nsp_loss", "nsp_accuracy", "gradient_norm", "tokens"}
    assert steps[0]["mlm_loss"] == pytest.approx(math.log(VOCABULARY.size), rel=0.25)
    assert steps[0]["nsp_loss"] == pytest.approx(math.log(2), rel=0.5)
    assert [line["step"] for line in log if line.get("evaluation")] == [7, 8]
    assert [0.3 < line["not_next_share"] < 0.8 for line in log if "not_next_share" in line] == [True]


def test_a_listener_is_told_the_plan_and_the_progress(tmp_path, store):
    events = []
    trained(tmp_path, store, "heard", steps=8, listen=events.append)
    assert {"pretraining-plan", "not-next-share"} <= {event.code for event in events if isinstance(event, Note)}
    advances = [event for event in events if isinstance(event, Advance)]
    assert advances
    assert {"mlm_loss", "tokens_per_second"} <= advances[0].values.keys()


def test_steps_walk_through_the_epochs_without_a_gap_or_a_repeat(tmp_path, store):
    _, made = workload(tmp_path, store)
    count = made.instances.count(0)
    steps = count // made.batch_size + 1
    seen = np.concatenate([batch.order_B for step in range(steps) for batch in made.batches(step)])
    assert len(seen) == steps * made.batch_size
    _, fresh = workload(tmp_path, store)
    order = fresh.instances.index_at(0, np.arange(count))
    assert sorted(order) == list(range(count))
    # a step is packed by length, so steps are compared as sets; the last one reaches into the second epoch
    for step in range(count // made.batch_size):
        part = slice(step * made.batch_size, (step + 1) * made.batch_size)
        assert sorted(seen[part]) == sorted(order[part])
    straddling = sum(batch.sequences for batch in fresh.batches(steps - 1))
    assert straddling == made.batch_size


def test_an_evaluation_leaves_dropout_on_and_the_random_state_alone(tmp_path, store):
    _, made = workload(tmp_path, store)
    made.model.train()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again = evaluate(made, ENGINE), evaluate(made, ENGINE)
    assert first == again
    assert made.model.training
    assert torch.equal(before, torch.get_rng_state())


def test_a_gradient_that_is_no_number_stops_the_run(tmp_path, store):
    settings, made = workload(tmp_path, store)
    with torch.no_grad():
        made.model.masked_lm.bias.fill_(math.inf)
    folder = RunFolder(tmp_path / "diverged")
    folder.path.mkdir()
    with pytest.raises(UsageError) as stopped:
        run(settings, made, ENGINE, folder, ignore)
    assert stopped.value.code == "diverged"
    assert "step 1" in stopped.value.text("en")


def test_the_lean_recipe_has_no_dropout_and_the_paper_has_what_the_config_says(tmp_path, store):
    settings = make_settings(tmp_path, tmp_path / "run")
    config = start_of(settings, store, ignore).config
    assert config_of(config, "google-2018") == config
    lean = config_of(config, "lean")
    assert (lean.hidden_dropout_prob, lean.attention_probs_dropout_prob) == (0.0, 0.0)


def test_a_config_that_fits_neither_the_vocabulary_nor_the_length_is_refused_with_both_faults(tmp_path, store):
    path = make_config(tmp_path)
    path.write_text(path.read_text().replace(f'"vocab_size": {VOCABULARY.size}', '"vocab_size": 99'))
    settings = make_settings(tmp_path, tmp_path / "run", max_seq_length=64)
    with pytest.raises(ConfigError) as refused:
        start_of(settings, store, ignore)
    assert [refused.value.code, *(fault.code for fault in refused.value.also)] == ["vocabulary-size", "too-few-positions"]


def test_a_preset_takes_the_vocabulary_of_the_store_and_room_for_the_length(tmp_path, store):
    settings = make_settings(tmp_path, tmp_path / "run", model="tiny", max_seq_length=700)
    config = start_of(settings, store, ignore).config
    assert (config.vocab_size, config.hidden_size, config.max_position_embeddings) == (VOCABULARY.size, 128, 700)


def test_a_single_document_is_learned_by_masked_lm_alone(tmp_path):
    make_config(tmp_path)
    document = Document(("w1 w2 w3 w4", "w5 w6 w7 w8"), "one")
    store = write_store([document], VOCABULARY, tmp_path / "store", shard_tokens=100, origin={})
    events = []
    settings = make_settings(tmp_path, tmp_path / "run")
    assert objective_of(dataclasses.replace(settings, objective="auto"), store, events.append) is Objective.MLM
    assert [event.code for event in events] == ["mlm-alone"]
    made, log = trained(tmp_path, store, "alone", objective=Objective.MLM, steps=3)
    assert "nsp_loss" not in log[0]
    assert scores_of(made, store, ENGINE) == []


def test_a_store_whose_documents_are_all_held_out_is_refused(tmp_path):
    documents = [Document(("w1 w2 w3", "w4 w5"), f"{n}", "held-out") for n in range(3)]
    store = write_store(documents, VOCABULARY, tmp_path / "store", shard_tokens=100, origin={})
    with pytest.raises(DataError) as refused:
        objective_of(make_settings(tmp_path, tmp_path / "run"), store, ignore)
    assert refused.value.code == "no-training-text"


def test_the_unigram_baseline_is_the_entropy_of_guessing_by_frequency(tmp_path, store):
    counts = np.ones(VOCABULARY.size)
    for shard in store.shards("train"):
        np.add.at(counts, np.asarray(shard.tokens), 1)
    labels = np.array([7, 7, 9])
    loss, accuracy = unigram(store, labels)
    shares = counts / counts.sum()
    assert loss == pytest.approx(-(2 * math.log(shares[7]) + math.log(shares[9])) / 3)
    assert accuracy == pytest.approx(float(np.mean(labels == counts.argmax())))
    assert majority(np.array([0, 1, 1, 1])) == 0.75


def test_every_micro_batch_of_every_step_has_a_dropout_seed_of_its_own(tmp_path, store, monkeypatch):
    original, seeds = Pretraining.loss, []

    def noting(self, pack, whole):
        seeds.append(torch.initial_seed())
        return original(self, pack, whole)

    monkeypatch.setattr(Pretraining, "loss", noting)
    made, _ = trained(tmp_path, store, "first", steps=4)
    assert (
        len(seeds)
        == len(set(seeds))
        == sum(len(share_of(made.batches(step), made.micro_batch_tokens).parts) for step in range(4))
        > 4
    )
    first = seeds.copy()
    seeds.clear()
    trained(tmp_path, store, "again", steps=4)
    assert seeds == first
