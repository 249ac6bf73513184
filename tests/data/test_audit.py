"""What an audit counts: on text of which everything is known."""

import dataclasses

import numpy as np
import pytest

from bertsmith.data.audit import audit_instances, audit_store, weights_of
from bertsmith.data.instance_settings import Objective
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import PairRules
from topical_text import shuffled, shuffled_inside, store_of, texts


def instances_of(store, pairs=True):
    rules = PairRules(64, 0.1, Objective.MLM_NSP if pairs else Objective.MLM, 0)
    return Instances(store, "train", rules, MaskRules(0.15, store.vocabulary.size, store.vocabulary.mask, 0))


def counts_of(store):
    return np.sum([np.bincount(s.tokens, minlength=store.vocabulary.size) for s in store.shards("train")], axis=0)


def test_text_whose_sentences_hang_together_is_told_from_shuffled_text(tmp_path):
    found = texts(documents=200)
    plain = audit_store(store_of(tmp_path / "plain", found))
    strangers = audit_store(store_of(tmp_path / "shuffled", shuffled(found)))
    inside = audit_store(store_of(tmp_path / "inside", shuffled_inside(found)))
    assert plain.cohesion.z > 10 and plain.order.z > 5
    assert abs(strangers.cohesion.z) < 3
    assert inside.cohesion.z > 10 and abs(inside.order.z) < 3


def test_repeats_and_lone_sentences_are_counted(tmp_path):
    found = texts(documents=30)
    audit = audit_store(store_of(tmp_path / "twice", [*found, *found, ["t1x1 t1x2 t1x3"]]))
    assert audit.repeated_documents == pytest.approx(30 / 61)
    assert audit.repeated_sentences == pytest.approx(360 / 721, abs=0.02)
    assert audit.one_sentence_documents == pytest.approx(1 / 61)
    assert audit_store(store_of(tmp_path / "once", found)).repeated_documents == 0


def test_unknown_pieces_and_pieces_of_words_are_counted(tmp_path):
    audit = audit_store(store_of(tmp_path, [["c1 c2s nowhere c3s"] * 2, ["c1 c2 c3"] * 2]))
    assert audit.unknown_share == pytest.approx(2 / 18)
    assert audit.pieces_per_word == pytest.approx(18 / 14)


def test_the_entropy_is_that_of_the_frequencies(tmp_path):
    audit = audit_store(store_of(tmp_path, [["c1 c2"] * 3, ["c3 c4"] * 3]))
    assert audit.entropy == pytest.approx(np.log(4))


def test_masks_and_labels_of_instances_are_as_the_paper_has_them(tmp_path):
    store = store_of(tmp_path, texts())
    audit = audit_instances(instances_of(store), counts_of(store))
    assert audit.predicted_share == pytest.approx(0.15, abs=0.02)
    assert audit.hidden_share == pytest.approx(0.8, abs=0.05)
    assert audit.shown_share == pytest.approx(0.1, abs=0.05)
    assert 0.45 < audit.label_share < 0.75
    assert audit.cohesion.z > 10


def test_turned_labels_turn_the_sign(tmp_path):
    store = store_of(tmp_path, texts())

    class Turned(Instances):
        def batch(self, epoch, positions):
            batch = super().batch(epoch, positions)
            return dataclasses.replace(batch, targets_B=1 - batch.targets_B)

    plain = instances_of(store)
    turned = Turned(store, "train", plain.pair_rules, plain.mask_rules)
    assert audit_instances(turned, counts_of(store)).cohesion.z < -10


def test_without_pairs_there_is_nothing_to_say_of_labels(tmp_path):
    store = store_of(tmp_path, texts())
    audit = audit_instances(instances_of(store, pairs=False), counts_of(store))
    assert audit.label_share is None and audit.cohesion is None


def test_frequent_pieces_weigh_nothing_and_rare_ones_most():
    weights = weights_of(np.array([0, 5000, 10, 1]))
    assert weights[0] == weights[1] == 0
    assert weights[3] > weights[2] > 0
