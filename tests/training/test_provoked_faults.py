"""Faults that are provoked in real runs of tiny networks are named within 300 steps; healthy runs raise no alarm."""

import dataclasses
import json
from functools import partial
from itertools import count

import numpy as np
import pytest

from bertsmith.data.instance_recipe import objective_of
from bertsmith.data.instances import Instances
from bertsmith.progress import ignore
from bertsmith.records.run import RunFolder
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.diagnostics import watched
from bertsmith.training.pretraining.diagnostics.watch import findings_of
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.run import run, start_of, workload_of
from bertsmith.training.pretraining.settings import PretrainSettings
from topical_text import VOCABULARY, shuffled, shuffled_inside, store_of, texts

ENGINE = Engine("cpu", "fp32", 1)
LONG_TEXT = 1200  # documents; 300 steps of 16 sequences see each sentence about once


def settings_of(folder, store, *, layers=2, **changes):
    config = {
        "model_type": "bert",
        "vocab_size": store.vocabulary.size,
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "hidden_act": "gelu",
        "max_position_embeddings": 32,
    }
    (folder / "config.json").write_text(json.dumps(config))
    values = {
        "store": store.folder,
        "output": folder / "run",
        "model": str(folder / "config.json"),
        "steps": 200,
        "batch_size": 16,
        "max_seq_length": 32,
        "learning_rate": 3e-3,
        "warmup": 0.1,
        "evaluate_every": 20,
        "evaluation_instances": 64,
        "save_every": 1000,
        "precision": "fp32",
        "device": "cpu",
        "threads": 1,
    }
    return PretrainSettings(**(values | changes))


def alarms(folder, *positional, **named):
    """The codes of what is found that is not as it should be; how fast this machine is at the moment is nobody's fault."""
    return [code for code in all_alarms(folder, *positional, **named) if code != "slower"]


def all_alarms(folder, found=None, *, vocabulary=VOCABULARY, disturb=None, **changes):
    """The codes of what is found that is not as it should be, in a real run."""
    store = store_of(folder, found or texts(LONG_TEXT), vocabulary, held_out=7)
    settings = settings_of(folder, store, **changes)
    workload = workload_of(settings, store, start_of(settings, store, ignore), objective_of(settings, store, ignore))
    if disturb:
        disturb(workload)
    run_folder = RunFolder(folder / "run")
    run_folder.path.mkdir()
    run(settings, workload, ENGINE, run_folder, ignore)
    return [finding.note.code for finding in findings_of(run_folder.read_log()) if finding.note.warning]


def changed(monkeypatch, change):
    """Every batch of the training instances goes through `change`, as a fault in the making of instances would do it."""
    made = Instances.batch

    def batch(self, epoch, positions):
        plain = made(self, epoch, positions)
        return dataclasses.replace(plain, **change(plain)) if self.split == "train" else plain

    monkeypatch.setattr(Instances, "batch", batch)


def shown(batch):
    ids = batch.ids_T.copy()
    ids[batch.masked_M] = batch.labels_M
    return {"ids_T": ids}


HEALTHY = {
    "as it comes": {},
    "slow rate": {"learning_rate": 1e-4},
    "google-2018": {"recipe": "google-2018", "learning_rate": 1e-3},
    "neighbours": {"first_weights": "neighbours"},
    "masked LM alone": {"objective": "mlm"},
    "order of sentences": {"objective": "mlm+sop"},
    "twelve layers": {"layers": 12, "warmup": 0.2, "learning_rate": 1e-3, "steps": 100},
}


@pytest.mark.parametrize("changes", HEALTHY.values(), ids=HEALTHY)
def test_no_alarm_in_a_healthy_run(tmp_path, changes):
    assert alarms(tmp_path, **changes) == []


def test_a_wrong_vocabulary_is_named(tmp_path):
    other = Vocabulary((*SPECIAL, *(f"t{n}x{n}" for n in range(40)), *(f"c{n}" for n in range(8))), lowercase=True)
    assert "unknown-pieces" in alarms(tmp_path, vocabulary=other, steps=5)


def test_shuffled_sentences_are_named(tmp_path):
    assert "sentences-unrelated" in alarms(tmp_path, shuffled(texts(LONG_TEXT)), steps=5)


def test_sentences_out_of_order_are_named(tmp_path):
    assert alarms(tmp_path, shuffled_inside(texts(LONG_TEXT)), steps=5) == ["sentences-out-of-order"]


def test_a_repeated_corpus_is_named(tmp_path):
    assert "repeated-text" in alarms(tmp_path, texts(40) * 10, steps=5)


def test_documents_of_one_sentence_are_named(tmp_path):
    found = [[sentence] for text in texts(60) for sentence in text]
    assert {"lone-sentences", "pairs-one-label"} <= set(alarms(tmp_path, found, steps=5))


def test_lost_masks_are_named(tmp_path, monkeypatch):
    changed(monkeypatch, shown)
    assert alarms(tmp_path, steps=5) == ["masks-lost"]


def test_turned_labels_are_named(tmp_path, monkeypatch):
    changed(monkeypatch, lambda batch: {"targets_B": 1 - batch.targets_B})
    assert alarms(tmp_path, steps=5) == ["labels-turned"]


def test_constant_labels_are_named(tmp_path, monkeypatch):
    changed(monkeypatch, lambda batch: {"targets_B": np.zeros_like(batch.targets_B)})
    assert "pairs-one-label" in alarms(tmp_path, steps=5)


def test_labels_at_random_are_named(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    changed(monkeypatch, lambda batch: {"targets_B": random.integers(0, 2, len(batch.targets_B))})
    assert alarms(tmp_path, steps=5) == ["labels-at-random"]


def test_thirty_times_the_learning_rate_is_named(tmp_path):
    assert "rate-high" in alarms(tmp_path, learning_rate=0.09, steps=100)


def test_a_deep_network_without_warm_up_is_named(tmp_path):
    assert "no-warmup" in alarms(tmp_path, layers=24, warmup=0.0, steps=5)


def test_a_frozen_encoder_is_named(tmp_path):
    def freeze(workload):
        for parameter in workload.model.bert.layers.parameters():
            parameter.register_hook(lambda gradient: gradient * 0)

    assert alarms(tmp_path, disturb=freeze, steps=5) == ["standing-still"]


def test_answers_that_leak_in_the_middle_are_named(tmp_path, monkeypatch):
    made = Pretraining.batches

    def batches(self, step):
        return [dataclasses.replace(batch, **shown(batch)) for batch in made(self, step)]

    monkeypatch.setattr(Pretraining, "batches", batches)
    assert "answers-seen" in alarms(tmp_path, steps=300, learning_rate=1e-2)


def test_a_step_of_nonsense_is_named(tmp_path, monkeypatch):
    made = Pretraining.batches

    def batches(self, step):
        found = made(self, step)
        if step != 150:
            return found
        return [dataclasses.replace(batch, labels_M=np.full_like(batch.labels_M, 3)) for batch in found]

    monkeypatch.setattr(Pretraining, "batches", batches)
    assert "loss-spike" in alarms(tmp_path)


def test_a_machine_that_grows_slow_is_named(tmp_path, monkeypatch):
    calls = count()

    def clock():
        """Each look takes a hundredth of a second, and three of them from the 130th on."""
        number = next(calls)
        return 0.01 * (number + 2 * max(number - 130, 0))

    monkeypatch.setattr(watched, "Watch", partial(watched.Watch, clock=clock))
    assert "slower" in all_alarms(tmp_path)


def test_a_text_that_is_learned_by_heart_is_named(tmp_path):
    assert "by-heart" in alarms(tmp_path, texts(30), steps=300, learning_rate=1e-2)
