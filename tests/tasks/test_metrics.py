import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from bertsmith.records.page import from_json, to_json
from bertsmith.tasks.metrics import classification_result, paired_difference


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_scores_equal_those_of_scikit_learn(rows):
    targets, answers = zip(*rows, strict=True)
    result = classification_result(("a", "b", "c", "d"), targets, answers)
    assert result.accuracy == pytest.approx(peer.accuracy_score(targets, answers))
    assert result.macro_f1 == pytest.approx(peer.f1_score(targets, answers, average="macro", zero_division=0))
    assert result.mcc == pytest.approx(peer.matthews_corrcoef(targets, answers))
    peers = peer.precision_recall_fscore_support(targets, answers, labels=range(4), zero_division=0)
    ours = [(s.precision, s.recall, s.f1, s.support) for s in result.per_class]
    np.testing.assert_allclose(ours, np.transpose(peers))
    assert result.counts.tolist() == peer.confusion_matrix(targets, answers, labels=range(4)).tolist()


def test_a_constant_answer_has_no_correlation():
    assert classification_result(("a", "b"), [0, 1, 0], [0, 0, 0]).mcc == 0.0


def test_the_score_that_chooses_comes_first_and_says_what_it_is():
    result = classification_result(("a", "b"), [0, 1, 1], [0, 1, 0], "macro_f1")
    first = result.scores("dev")[0]
    assert (first.metric, first.split, first.n, first.value) == ("macro_f1", "dev", 3, result.selected)


def test_what_a_report_shows_goes_to_json_and_back():
    items = classification_result(("a", "b"), [0, 1], [0, 0]).items()
    assert from_json(to_json(items)) == items


def test_the_interval_of_a_difference_holds_the_normal_one():
    rng = np.random.default_rng(0)
    one, other = rng.random(2000) < 0.8, rng.random(2000) < 0.7
    found = paired_difference(one, other, seed=0)
    gains = one.astype(float) - other
    half = 1.96 * gains.std() / np.sqrt(2000)
    assert found.value == pytest.approx(gains.mean())
    assert found.low == pytest.approx(gains.mean() - half, abs=0.004)
    assert found.high == pytest.approx(gains.mean() + half, abs=0.004)


def test_the_interval_is_the_same_for_the_same_seed_and_for_any_piece_size(monkeypatch):
    one, other = np.arange(50) % 3 == 0, np.arange(50) % 4 == 0
    whole = paired_difference(one, other, seed=3, samples=400)
    monkeypatch.setattr("bertsmith.tasks.metrics._DRAWS_AT_ONCE", 700)
    assert paired_difference(one, other, seed=3, samples=400) == whole


def test_equal_models_do_not_differ():
    right = [True, False, True]
    found = paired_difference(right, right, seed=0)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
