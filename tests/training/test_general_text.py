"""A general text is measured before, during and after a run, so that forgetting is seen; losses compare per character."""

import math

import numpy as np
import pytest
import torch
from tiny_pretraining import ENGINE, VOCABULARY, WORDS, make_config, make_settings, make_store

from bertsmith.data.corpus import Document
from bertsmith.data.instance_recipe import objective_of
from bertsmith.data.token_store import write_store
from bertsmith.errors import DataError
from bertsmith.jobs.pretrain_page import page_of
from bertsmith.messages.names import SPLITS
from bertsmith.progress import ignore
from bertsmith.records.run import RunFolder
from bertsmith.records.scores import Score
from bertsmith.text.vocabulary import SPECIAL, Vocabulary
from bertsmith.training.loop import evaluate
from bertsmith.training.pretraining.general import (
    RISE,
    bits_per_character,
    characters_of,
    general_instances,
    general_store,
    tell_forgetting,
)
from bertsmith.training.pretraining.run import run, scores_of, start_of, workload_of


@pytest.fixture
def store(tmp_path):
    make_config(tmp_path)
    return make_store(tmp_path)


def general_text(folder, vocabulary=VOCABULARY, documents=12):
    """Sentences that count backwards: another kind of text."""
    made = [
        Document(tuple(" ".join(WORDS[(3 * n + s - i) % len(WORDS)] for i in range(9)) for s in range(4)), f"made:{n}", "train")
        for n in range(documents)
    ]
    return write_store(made, vocabulary, folder / "general", shard_tokens=10_000, origin={"documents": documents})


def workload(tmp_path, store, **changes):
    settings = make_settings(tmp_path, tmp_path / "run", general=tmp_path / "general", **changes)
    start, objective = start_of(settings, store, ignore), objective_of(settings, store)
    return settings, workload_of(settings, store, start, objective, general_store(settings, store))


def trained(tmp_path, store, name, listen=ignore, **changes):
    settings, made = workload(tmp_path, store, **changes)
    folder = RunFolder(tmp_path / name)
    folder.path.mkdir(exist_ok=True)
    run(settings, made, ENGINE, folder, listen)
    return made, list(folder.read_log())


def test_characters_are_those_of_the_text_that_a_piece_writes():
    vocabulary = Vocabulary((*SPECIAL, "heart", "##ache", "痰", "##"), lowercase=True)
    assert characters_of(vocabulary).tolist() == [0, 0, 0, 0, 0, 5, 4, 1, 0]


def test_bits_per_character_of_a_case_that_is_counted_by_hand(tmp_path, store):
    # two hidden pieces of 2 characters and one of 3, each guessed at one half: 3 bits for 7 characters
    assert bits_per_character(3 * math.log(2), 7) == pytest.approx(3 / 7)
    general_text(tmp_path)
    _, made = workload(tmp_path, store)
    with torch.no_grad():  # every piece is as likely as any other, whatever the text
        made.model.bert.embeddings.pieces.zero_()
        made.model.masked_lm.bias.zero_()
    measured = evaluate(made, ENGINE)
    labels_M, _ = made.evaluated_labels()
    letters = sum(len(VOCABULARY.pieces[label]) for label in labels_M)
    assert measured["mlm_loss"] == pytest.approx(math.log(VOCABULARY.size), rel=1e-5)
    assert measured["bits_per_character"] == pytest.approx(len(labels_M) * math.log2(VOCABULARY.size) / letters, rel=1e-5)


def test_the_same_certainty_costs_the_same_bits_in_long_and_in_short_pieces():
    # a piece of six letters at 1/8, or two of three letters at the same 1/8 together
    long, short = bits_per_character(math.log(8), 6), bits_per_character(math.log(2) + math.log(4), 3 + 3)
    assert long == pytest.approx(short) == pytest.approx(0.5)


def test_the_general_loss_stands_in_the_log_before_during_and_after(tmp_path, store):
    general_text(tmp_path)
    made, log = trained(tmp_path, store, "logged", steps=8)
    evaluations = [line for line in log if line.get("evaluation")]
    assert [line["step"] for line in evaluations] == [7, 8]
    assert all({"general_mlm_loss", "general_bits_per_character", "mlm_loss"} <= line.keys() for line in evaluations)
    (before,) = [line for line in log if "before_general_mlm_loss" in line]
    _, fresh = workload(tmp_path, store)
    assert before["before_general_mlm_loss"] == evaluate(fresh, ENGINE)["general_mlm_loss"]
    scores = {(score.split, score.metric): score for score in scores_of(made, store, ENGINE)}
    score = scores["general", "mlm_loss"]
    assert score.value == pytest.approx(evaluations[-1]["general_mlm_loss"])
    assert score.baseline == ("before", before["before_general_mlm_loss"])
    assert score.n == sum(len(batch.masked_M) for batch in made._evaluated_general)


def test_a_general_text_never_trains(tmp_path, store):
    general_text(tmp_path)
    with_general, _ = trained(tmp_path, store, "with", steps=4)
    settings = make_settings(tmp_path, tmp_path / "run", steps=4)
    without = workload_of(settings, store, start_of(settings, store, ignore), objective_of(settings, store))
    folder = RunFolder(tmp_path / "without")
    folder.path.mkdir()
    run(settings, without, ENGINE, folder, ignore)
    for one, two in zip(with_general.model.parameters(), without.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_run_that_goes_on_tells_the_same_before(tmp_path, store):
    general_text(tmp_path)
    _, whole = trained(tmp_path, store, "whole", steps=12)
    trained(tmp_path, store, "parts", steps=12)
    folder = tmp_path / "parts"
    for state in sorted(folder.glob("states/step-*"))[1:]:  # back to an earlier state, as behind a kill
        for file in state.iterdir():
            file.unlink()
        state.rmdir()
    _, again = trained(tmp_path, store, "parts", steps=12)
    assert again == whole


def test_held_out_instances_are_measured_where_there_are_any_and_else_all(tmp_path, store):
    objective = objective_of(make_settings(tmp_path, tmp_path), store)
    assert general_instances(store, objective, 32).split == "held-out"
    assert general_instances(general_text(tmp_path), objective, 32).split == "train"


def test_one_document_of_general_text_is_measured_without_pairs(tmp_path, store):
    general_text(tmp_path, documents=1)
    _, made = workload(tmp_path, store)
    assert not made.general.pair_rules.pairs
    assert made.instances.pair_rules.pairs
    assert evaluate(made, ENGINE)["general_mlm_loss"] > 0


def test_a_general_text_of_another_vocabulary_is_refused(tmp_path, store):
    general_text(tmp_path, vocabulary=Vocabulary((*VOCABULARY.pieces, "more"), lowercase=True))
    with pytest.raises(DataError) as refused:
        workload(tmp_path, store)
    assert refused.value.code == "general-vocabulary"
    assert f"--vocabulary {tmp_path / 'store'}" in refused.value.text("en")
    assert "扩充" in refused.value.text("zh")


@pytest.mark.parametrize(("rise", "told"), [(RISE + 0.01, ["general-text-forgotten"]), (RISE - 0.01, [])])
def test_forgetting_is_a_warning_above_the_stated_rise(rise, told):
    events = []
    score = Score("mlm_loss", 2.0 + rise, "general", 100, 1, None, ("before", 2.0))
    other = Score("mlm_loss", 9.0, "held-out", 100, 1, None, ("unigram", 2.0))
    tell_forgetting([other, score], events.append)
    assert [event.code for event in events] == told
    assert all(event.warning and "2.000" in event.text("zh") for event in events)


def test_the_report_shows_the_general_text_in_a_table_and_in_the_curve_in_both_languages(tmp_path, store):
    general_text(tmp_path)
    made, log = trained(tmp_path, store, "drawn", steps=8)
    page = page_of(log, scores_of(made, store, ENGINE))
    result, curves = page.sections[0], next(section for section in page.sections if section.title.en == "Curves")
    assert [table.title.zh for table in result.items[:2]] == ["留出文本", "通用文本"]
    series = {line.name.en: line for line in curves.items[0].series}
    assert series["general text"].xs == (0.0, 7.0, 8.0)
    assert np.isfinite(series["general text"].ys).all()
    assert "nats" in page.summary.en
    assert SPLITS["general"].zh == "通用文本"
