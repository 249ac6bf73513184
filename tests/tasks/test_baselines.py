import subprocess
import sys
from pathlib import Path

import numpy as np

from bertsmith.data.examples import Examples
from bertsmith.tasks.baselines import baselines, majority, tfidf
from bertsmith.tasks.classification import Classification

GOOD, BAD = ("very good", "i liked it", "a fine film"), ("very bad", "i hated it", "a dull film")
ZH_GOOD, ZH_BAD = ("服务很好很满意", "非常喜欢这里", "房间干净舒适"), ("服务太差很失望", "再也不来这里", "房间又脏又吵")


def examples(good, bad, n=30, pairs=None):
    texts = [f"{good[i % 3]} {i}" if i % 2 else f"{bad[i % 3]} {i}" for i in range(n)]
    return Examples(Path("d.csv"), texts, pairs, ["good" if i % 2 else "bad" for i in range(n)], list(range(n)))


def run(train, dev, test):
    return baselines(Classification.of(train), train, dev, test)


def test_the_majority_class_is_that_of_train():
    train = Examples(Path("d.csv"), ["x"] * 3, None, ["a", "b", "b"], [1, 2, 3])
    test = Examples(Path("d.csv"), ["x"] * 4, None, ["a", "a", "a", "b"], [1, 2, 3, 4])
    found = majority(Classification(("a", "b")), train, train, test)
    assert found.test.accuracy == 0.25
    assert found.chosen == {"class": "b"}


def test_tfidf_learns_english_from_words_or_characters():
    data = examples(GOOD, BAD)
    found = run(data, data, data)[1]
    assert found.test.accuracy == 1.0
    assert found.chosen["features"] in ("words", "characters", "words and characters")
    np.testing.assert_array_equal(found.test_answers, Classification.of(data).targets(data.labels))


def test_tfidf_learns_chinese_from_characters():
    data = examples(ZH_GOOD, ZH_BAD)
    found = run(data, data, data)[1]
    assert found.chosen["features"] == "characters"
    assert found.test.accuracy == 1.0


def test_tfidf_of_pairs_sees_what_two_texts_share():
    words = [f"word{i}" for i in range(60)]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 5, replace=False)) for _ in range(200)]
    pairs = [text if i % 2 else " ".join(rng.choice(words, 5, replace=False)) for i, text in enumerate(texts)]
    data = Examples(Path("d.csv"), texts, pairs, ["same" if i % 2 else "other" for i in range(200)], list(range(200)))
    train, test = data.take(range(150)), data.take(range(150, 200))
    assert run(train, test, test)[1].test.accuracy > 0.9


def test_dev_chooses_and_test_changes_nothing_that_was_chosen():
    data = examples(GOOD, BAD)
    flipped = Examples(data.path, data.texts, None, data.labels[::-1], data.lines)
    task = Classification.of(data)
    one, other = tfidf(task, data, data, data), tfidf(task, data, data, flipped)
    assert (one.chosen, one.dev.selected) == (other.chosen, other.dev.selected)
    assert other.test.accuracy == 0.0


def test_texts_without_a_character_leave_the_majority_alone():
    data = Examples(Path("d.csv"), [""] * 4, None, ["a", "b"] * 2, [1, 2, 3, 4])
    assert [found.key for found in run(data, data, data)] == ["majority"]


def test_tables_and_tasks_load_neither_scikit_learn_nor_torch():
    code = (
        "import sys, bertsmith.tasks.baselines, bertsmith.data.splits; print({'sklearn', 'torch', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
