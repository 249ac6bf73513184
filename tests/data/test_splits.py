from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.data.examples import Examples
from bertsmith.data.splits import Shares, leaks, split_rows, text_keys
from bertsmith.errors import DataError

TENTHS = Shares(0.1, 0.1)


def examples(texts, pairs=None, name="data.csv"):
    return Examples(Path(name), list(texts), pairs, None, list(range(2, 2 + len(texts))))


def sides(split):
    return {int(row): side for side in ("train", "dev", "test") for row in getattr(split, side)}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), min_size=40, max_size=200),
    st.sampled_from(["stratified", "random"]),
    st.integers(0, 5),
)
def test_every_row_is_on_one_side_and_equal_texts_on_the_same(rows, how, seed):
    keys, labels = [str(key) for key, _ in rows], [label for _, label in rows]
    try:
        place = sides(split_rows(keys, labels, TENTHS, how=how, seed=seed))
    except DataError as error:
        assert error.code == "too-few-to-split"
        return
    assert sorted(place) == list(range(len(rows)))
    by_key = {}
    for row, key in enumerate(keys):
        assert by_key.setdefault(key, place[row]) == place[row]


def test_a_stratified_split_keeps_the_shares_of_the_classes():
    labels = ["rare"] * 50 + ["common"] * 950
    split = split_rows([str(i) for i in range(1000)], labels, TENTHS)
    for side in (split.dev, split.test):
        assert Counter(labels[i] for i in side) == {"rare": 5, "common": 95}


def test_many_small_classes_still_fill_dev_and_test():
    labels = [str(i // 4) for i in range(400)]
    split = split_rows([str(i) for i in range(400)], labels, TENTHS)
    assert (len(split.dev), len(split.test)) == (40, 40)
    assert {labels[i] for i in split.train} == set(labels)


def test_a_label_that_occurs_once_stays_in_train():
    labels = ["once", *("ab"[i % 2] for i in range(40))]
    for seed in range(10):
        assert 0 in split_rows([str(i) for i in range(41)], labels, Shares(0.4, 0.4), seed=seed).train


def test_the_split_does_not_depend_on_the_order_of_the_rows():
    keys, labels = [f"text {i}" for i in range(100)], ["ab"[i % 2] for i in range(100)]
    order = np.random.default_rng(0).permutation(100)
    place = sides(split_rows(keys, labels, TENTHS))
    shuffled = sides(split_rows([keys[i] for i in order], [labels[i] for i in order], TENTHS))
    assert all(shuffled[new] == place[int(old)] for new, old in enumerate(order))


def test_the_seed_decides_and_the_same_seed_decides_the_same():
    keys, labels = [str(i) for i in range(200)], ["a"] * 200
    first, again, other = (split_rows(keys, labels, TENTHS, seed=seed) for seed in (0, 0, 1))
    assert first.test.tolist() == again.test.tolist() != other.test.tolist()


def test_groups_stay_together_also_through_shared_texts():
    keys = [str(i) for i in range(100)]
    groups = [str(i // 5) for i in range(100)]
    keys[0] = keys[99] = "the same text in two groups"
    place = sides(split_rows(keys, ["a"] * 100, TENTHS, how="group", groups=groups))
    for group in range(20):
        assert len({place[5 * group + i] for i in range(5)}) == 1
    assert place[0] == place[99]


def test_a_side_that_is_not_wanted_is_empty():
    split = split_rows([str(i) for i in range(50)], ["a"] * 50, Shares(0.0, 0.2))
    assert (len(split.dev), len(split.test), len(split.train)) == (0, 10, 40)


def test_rows_that_repeat_a_text_are_told_only_where_there_are_any():
    heard = []
    split_rows([str(i) for i in range(50)], ["a"] * 50, TENTHS, listen=heard.append)
    assert [event.text() for event in heard] == ["split stratified: 40 rows train, 5 dev, 5 test"]
    assert heard[0].text("zh") == "划分（分层）：训练集 40 行，开发集 5 行，测试集 5 行"
    split_rows([str(i // 2) for i in range(50)], ["a"] * 50, TENTHS, listen=heard.append)
    assert heard[-1].text() == "25 rows repeat a text and stay on its side"


def test_too_few_texts_are_told():
    with pytest.raises(DataError, match="too-few-to-split"):
        split_rows(["same"] * 30, ["a", "b"] * 15, TENTHS)


def test_texts_are_the_same_whatever_case_width_blanks_or_invisible_characters():
    one, *others = text_keys(examples(["Good  film", "good film ", "ＧＯＯＤ film", "\ufeffgood\u3000film"]))
    assert set(others) == {one}


def test_pairs_are_the_same_in_either_order_and_only_as_pairs():
    keys = text_keys(examples(["a", "b", "a"], pairs=["b", "A", "c"]))
    assert keys[0] == keys[1] != keys[2]


def test_leaks_between_tables_are_counted_and_warned_of():
    heard = []
    train, dev, test = examples(["a", "b", "c"]), examples(["B", "x"]), examples(["a", "c", "x", "y"])
    found = leaks(train, replace(dev, path=Path("dev.csv")), replace(test, path=Path("test.csv")), heard.append)
    assert (found.dev_in_train, found.test_in_train, found.test_in_dev) == (1, 2, 1)
    assert [event.values["count"] for event in heard] == [1, 2, 1]
    assert all(event.warning for event in heard)
