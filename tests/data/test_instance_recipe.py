"""What pretraining sees is decided in one place, and never silently something else than was asked for."""

import dataclasses

import numpy as np
import pytest

from bertsmith.data.corpus import HELD_OUT, Document
from bertsmith.data.instance_recipe import (
    chinese_share,
    evaluated_instances,
    objective_of,
    training_instances,
)
from bertsmith.data.instance_settings import InstanceSettings, Objective, Procedure, Unit
from bertsmith.data.token_store import write_store
from bertsmith.errors import ConfigError, DataError
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.pretraining.settings import PretrainSettings

CHARACTERS = "甲乙丙丁戊己庚辛壬癸"
WORDS = ("one", "two", "three")
VOCABULARY = Vocabulary((*SPECIAL, *CHARACTERS, *WORDS, "##s"), lowercase=True)
NSP, SOP, MLM = Objective


def store_of(folder, sentences, documents=12, per_document=3):
    made = [
        Document(tuple(sentences for _ in range(per_document)), f"{n}", HELD_OUT if n % 4 == 3 else "train")
        for n in range(documents)
    ]
    return write_store(made, VOCABULARY, folder, shard_tokens=10**6, origin={"n": documents})


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return store_of(tmp_path_factory.mktemp("english") / "store", "ones two threes two one twos")


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    return store_of(tmp_path_factory.mktemp("chinese") / "store", "甲乙丙丁 one 戊己庚")


def named(store, words):
    """The same store, whose manifest says who made the word starts."""
    return dataclasses.replace(store, manifest={**store.manifest, "words": words})


@pytest.mark.parametrize("unit", [Unit.WORD, Unit.NGRAM, Unit.SPAN])
@pytest.mark.parametrize("words", [None, "pieces"])
def test_whole_words_of_chinese_are_refused_where_nobody_knows_them(chinese, unit, words):
    store = chinese if words is None else named(chinese, words)
    with pytest.raises(DataError) as refused:
        training_instances(InstanceSettings(mask_unit=unit.value), store, NSP)
    assert refused.value.code == "no-word-starts"
    assert "88% of the text" in str(refused.value)
    assert "--words jieba" in str(refused.value)
    assert "bertsmith[chinese]" in str(refused.value)


def test_whole_words_of_chinese_are_taken_where_a_segmenter_made_them(chinese):
    instances = training_instances(InstanceSettings(mask_unit="word"), named(chinese, "jieba 0.42.1"), NSP)
    assert instances.mask_rules.unit is Unit.WORD and instances.count(0) > 0


def test_single_tokens_of_chinese_and_whole_words_of_english_need_no_segmenter(chinese, english):
    assert training_instances(InstanceSettings(), chinese, NSP).mask_rules.unit is Unit.TOKEN
    assert training_instances(InstanceSettings(mask_unit="word"), english, NSP).mask_rules.unit is Unit.WORD


def test_the_share_of_chinese_characters_is_counted_by_tokens(chinese, english):
    assert chinese_share(chinese) == pytest.approx(7 / 8)
    assert chinese_share(english) == 0


@pytest.mark.parametrize("unit", [Unit.WORD, Unit.NGRAM, Unit.SPAN])
def test_words_of_a_store_are_hidden_whole(english, unit):
    instances = training_instances(InstanceSettings(mask_unit=unit.value, max_seq_length=40, masked_share=0.3), english, MLM)
    for epoch in range(40):
        seen = instances.seen(epoch, range(instances.count(epoch)))
        ids_T = seen.batch.ids_T.copy()
        ids_T[seen.batch.masked_M] = seen.batch.labels_M
        assert (seen.starts_T == (VOCABULARY.starts_word[ids_T] | ~seen.text_T)).all()
        hidden = np.zeros(seen.batch.tokens, bool)
        hidden[seen.batch.masked_M] = True
        inside = np.flatnonzero(~seen.starts_T)
        first_of_part = np.isin(inside - 1, np.flatnonzero(~seen.text_T))
        assert (hidden[inside] == hidden[inside - 1])[~first_of_part].all()


def test_the_objective_is_the_one_asked_for_or_next_sentences_where_there_are_documents(english, tmp_path):
    assert objective_of(InstanceSettings(), english) is NSP
    for objective in Objective:
        assert objective_of(InstanceSettings(objective=objective.value), english) is objective
    single, events = store_of(tmp_path / "single", "one two", documents=1), []
    assert objective_of(InstanceSettings(), single, events.append) is MLM
    assert [event.code for event in events] == ["mlm-alone"]


def test_an_order_of_sentences_needs_a_document_of_two(tmp_path):
    store = store_of(tmp_path / "store", "one two three", per_document=1)
    with pytest.raises(DataError) as refused:
        training_instances(InstanceSettings(objective="mlm+sop"), store, SOP)
    assert refused.value.code == "no-two-sentences"


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ids_T", "masked_M", "labels_M", "targets_B")
    )


@pytest.mark.parametrize("objective", Objective)
def test_what_is_evaluated_depends_on_objective_and_length_alone(english, objective):
    plain = InstanceSettings()
    other = InstanceSettings(
        pairs="google-2018", mask_unit="span", masked_share=0.4, replaced_share=1.0, kept_share=0.0, short_share=0.9, seed=7
    )
    batches = [evaluated_instances(settings, english, objective).batch(0, range(3)) for settings in (plain, other)]
    assert same(*batches)
    shown = evaluated_instances(plain, english, objective).mask_rules
    assert (shown.share, shown.unit, shown.replaced, shown.kept, shown.most) == (0.15, Unit.TOKEN, 0.8, 0.1, None)


def test_nothing_is_evaluated_where_too_little_is_held_out(tmp_path):
    assert evaluated_instances(InstanceSettings(), store_of(tmp_path / "one", "one two", documents=3), NSP) is None
    one_held_out = store_of(tmp_path / "four", "one two", documents=4)
    assert evaluated_instances(InstanceSettings(), one_held_out, NSP) is None
    assert evaluated_instances(InstanceSettings(), one_held_out, MLM) is not None
    single_sentences = store_of(tmp_path / "single", "one two", documents=8, per_document=1)
    assert evaluated_instances(InstanceSettings(), single_sentences, SOP) is None


def test_masks_and_pairs_of_google_come_again_with_their_copy_in_another_order(english):
    settings = InstanceSettings(pairs="google-2018", copies=2, max_seq_length=16)
    instances = training_instances(settings, english, NSP)

    def whole(epoch):
        batch = instances.batch(epoch, range(instances.count(epoch)))
        bounds = batch.cu_seqlens
        return {int(i): batch.ids_T[bounds[k] : bounds[k + 1]].tolist() for k, i in enumerate(batch.order_B)}

    assert whole(0) == whole(2) != whole(1) == whole(3)
    order = [instances.index_at(epoch, np.arange(instances.count(epoch))).tolist() for epoch in (0, 2)]
    assert order[0] != order[1]
    paper = training_instances(dataclasses.replace(settings, pairs="paper"), english, NSP)
    assert not same(paper.batch(0, range(4)), paper.batch(2, range(4)))


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, None),
        ({"pairs": "google-2018"}, 20),
        ({"pairs": "google-2018", "max_seq_length": 512}, 80),
        ({"pairs": "google-2018", "max_predictions": 76}, 76),
        ({"max_predictions": 5}, 5),
    ],
)
def test_google_predicts_at_most_20_tokens_of_128(english, changes, most):
    settings = InstanceSettings(**changes)
    assert settings.most_predicted == most
    assert training_instances(settings, english, NSP).mask_rules.most == most


def test_every_setting_reaches_the_rules(english):
    settings = InstanceSettings(
        pairs="google-2018",
        copies=4,
        mask_unit="ngram",
        masked_share=0.2,
        replaced_share=0.5,
        kept_share=0.3,
        short_share=0.4,
        seed=9,
    )
    instances = training_instances(settings, english, SOP)
    pairs, masks = instances.pair_rules, instances.mask_rules
    assert dataclasses.astuple(pairs) == (128, 0.4, SOP, 9, Procedure.GOOGLE, 4)
    assert (masks.share, masks.seed, masks.unit, masks.replaced, masks.kept) == (0.2, 9, Unit.NGRAM, 0.5, 0.3)
    assert (masks.vocab_size, masks.mask_id) == (VOCABULARY.size, VOCABULARY.mask)


def test_shares_of_more_than_one_together_are_refused():
    with pytest.raises(ConfigError) as refused:
        PretrainSettings(store="store", replaced_share=0.9, kept_share=0.2)
    assert refused.value.code == "shares-over-one"
