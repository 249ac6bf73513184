import json
from pathlib import Path

import numpy as np
import pytest

from bertsmith.data.examples import Examples
from bertsmith.errors import CheckpointError, DataError
from bertsmith.tasks.classification import ClassAnswer, Classification
from bertsmith.tasks.task import Head, Task


def examples(labels, pairs=False):
    texts = [f"text {i}" for i in range(len(labels))]
    return Examples(Path("d.csv"), texts, texts if pairs else None, list(labels), list(range(len(labels))))


def test_classification_is_a_task():
    task: Task[ClassAnswer, object] = Classification(("a", "b"))
    assert task.head == Head("classifier", 2)


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (["b", "a", "c"], ("a", "b", "c")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["nan", "2", "10"], ("10", "2", "nan")),
        (["负面", "正面"], ("正面", "负面")),
    ],
)
def test_labels_are_sorted_and_numbers_by_their_value(labels, ordered):
    assert Classification.of(examples(labels)).labels == ordered


def test_targets_are_the_places_of_the_labels():
    assert Classification(("a", "b")).targets(["b", "a", "b"]).tolist() == [1, 0, 1]


def test_unknown_labels_are_all_told():
    with pytest.raises(DataError, match="c, d") as caught:
        Classification(("a", "b")).targets(["a", "c", "d", "c"], "dev.csv")
    assert caught.value.code == "unknown-labels"
    assert caught.value.where == "dev.csv"


def test_decoding_gives_the_likeliest_label_and_all_probabilities():
    (answer,) = Classification(("no", "yes")).decode(np.array([[0.0, np.log(3.0)]], np.float32))
    assert answer.label == "yes"
    assert answer.probability == pytest.approx(0.75)
    assert sum(answer.probabilities) == pytest.approx(1.0)
    assert answer.cells() == {"predicted_label": "yes", "probability": answer.probability}


def test_huge_logits_and_no_logits_are_decoded():
    task = Classification(("no", "yes"))
    assert task.decode(np.array([[1e4, -1e4]], np.float32))[0].probability == 1.0
    assert task.decode(np.zeros((0, 2), np.float32)) == []


def test_dev_chooses_by_macro_f1_only_where_classes_are_uneven():
    assert Classification.of(examples("aabb")).selection == "accuracy"
    assert Classification.of(examples("aaaab")).selection == "macro_f1"


def test_a_task_comes_back_from_what_the_model_folder_says():
    task = Classification.of(examples("aaaab", pairs=True))
    assert Classification.from_about(json.loads(json.dumps(task.about()))) == task


def test_a_model_without_a_classifier_is_refused():
    with pytest.raises(CheckpointError, match="not-a-classifier"):
        Classification.from_about({})


def test_measuring_takes_the_largest_logit():
    result = Classification(("a", "b")).measure(np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([0, 1]))
    assert result.accuracy == 0.5
