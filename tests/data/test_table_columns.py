from pathlib import Path

import pytest

from bertsmith.data.examples import labelled_examples, unlabelled_examples, warn_of_rare_labels
from bertsmith.data.settings import TableSettings
from bertsmith.data.table_columns import Columns, infer_columns
from bertsmith.data.tables import Table
from bertsmith.errors import DataError, UsageError

LONG = "a rather long text that nobody would take for the name of a class, however hard they tried"


def table(columns, *rows):
    return Table(Path("data.csv"), tuple(columns), list(rows), [2 + i for i in range(len(rows))], "utf-8", "comma")


def inferred(columns, settings=None, task="auto", rows=((LONG, "1"), (LONG + "!", "0"))):
    cells = [[*row, *("x" * (len(columns) - len(row)))] for row in rows]
    return infer_columns(table(columns, *map(tuple, cells)), settings or TableSettings(), task=task)


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        (("text", "label"), "text", "label"),
        (("评论", "情感"), "评论", "情感"),
        (("标题", "内容", "类别"), "内容", "类别"),
        (("Review Text", "Sentiment"), "Review Text", "Sentiment"),
        (("tweet_text", "toxicity-label"), "tweet_text", "toxicity-label"),
        (("用户评论", "情感标签"), "用户评论", "情感标签"),
        (("text", "label", "label_text"), "text", "label"),
        (("text_id", "label_id", "sentence", "class"), "sentence", "class"),
        (("cat", "label", "review"), "review", "label"),
    ],
)
def test_columns_are_known_by_their_names_in_both_languages(names, text, label):
    row = tuple("short" for _ in names)
    columns = infer_columns(table(names, row, row), TableSettings())
    assert columns == Columns(text, None, label)


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("label", "sentence1", "sentence2"), ("sentence1", "sentence2")),
        (("text_a", "text_b", "label"), ("text_a", "text_b")),
        (("Premise", "Hypothesis", "label"), ("Premise", "Hypothesis")),
        (("question", "sentence", "label"), ("question", "sentence")),
        (("句子1", "句子2", "标签"), ("句子1", "句子2")),
    ],
)
def test_pairs_are_known_by_their_names(names, pair):
    row = tuple("short" for _ in names)
    columns = infer_columns(table(names, row), TableSettings())
    assert (columns.text, columns.pair) == pair


def test_a_title_and_a_content_are_no_pair():
    row = ("short", "short", "1")
    assert infer_columns(table(("title", "content", "label"), row), TableSettings()).pair is None


def test_the_task_of_single_texts_takes_no_second_text():
    assert inferred(("text_a", "label", "text_b"), task="classify").pair is None


def test_the_task_of_pairs_wants_a_second_text():
    with pytest.raises(DataError, match="no-second-text"):
        inferred(("text", "label"), task="classify-pairs")


def test_without_known_names_the_longest_texts_and_the_fewest_values_decide():
    rows = [(f"{i}", f"{LONG} {i}", "ab"[i % 2], "abc"[i % 3]) for i in range(12)]
    columns = infer_columns(table(("c1", "c2", "c3", "c4"), *rows), TableSettings())
    assert columns == Columns("c2", None, "c3")


def test_a_label_by_name_that_holds_long_texts_is_no_label():
    assert inferred(("label", "class"), rows=[(LONG, "1"), (LONG, "0")]).label == "class"


def test_named_columns_win_over_everything():
    columns = inferred(("text", "label", "other"), TableSettings(text="other", label="text"))
    assert columns == Columns("other", None, "text")


def test_an_unknown_column_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'label'") as caught:
        inferred(("text", "label"), TableSettings(label="lable"))
    assert caught.value.exit_code == 2


def test_an_unknown_column_that_is_near_none_gets_the_columns_alone():
    with pytest.raises(UsageError, match=r"the columns are: 'text', 'label'$"):
        inferred(("text", "label"), TableSettings(label="zzz"))


def test_one_column_cannot_be_two_things():
    with pytest.raises(UsageError, match="column-twice"):
        inferred(("text", "label"), TableSettings(text="text", label="text"))


def test_a_table_of_numbers_has_no_text():
    with pytest.raises(DataError, match="no-text-column"):
        infer_columns(table(("a", "b"), ("1", "2"), ("3", "4")), TableSettings())


def test_what_was_inferred_is_said():
    heard = []
    infer_columns(table(("text", "label"), ("a", "b")), TableSettings(), listen=heard.append)
    assert "text is column 'text', the label 'label'" in heard[0].text()


def examples_of(*rows, label="label"):
    return labelled_examples(table(("text", "label"), *rows), Columns("text", None, label))


def test_a_table_without_labels_is_refused():
    with pytest.raises(DataError, match="no-label-column"):
        examples_of(("a", "1"), label=None)


def test_empty_labels_are_told_with_their_lines():
    with pytest.raises(DataError, match="empty-labels") as caught:
        examples_of(("a", "1"), ("b", " "), ("c", "0"), ("d", ""))
    assert caught.value.values["lines"] == "3, 5"


def test_a_single_label_is_refused():
    with pytest.raises(DataError, match="one-label"):
        examples_of(("a", "1"), ("b", "1"))


def test_numbers_that_are_no_classes_are_refused():
    with pytest.raises(DataError, match="not-classes"):
        examples_of(*((f"text {i}", f"{i / 7:.3f}") for i in range(40)))


def test_empty_texts_are_kept_and_told_with_their_lines():
    heard = []
    rows = table(("text", "label"), ("a", "1"), ("  ", "0"))
    examples = labelled_examples(rows, Columns("text", None, "label"), heard.append)
    assert len(examples) == 2
    assert heard[0].warning
    assert "lines 3" in heard[0].text()


def test_labels_that_occur_once_are_told_with_their_lines():
    heard = []
    warn_of_rare_labels(examples_of(("a", "x"), ("b", "x"), ("c", "once")), heard.append)
    assert "once (lines 4)" in heard[0].text()


def test_examples_can_be_taken_in_any_order():
    examples = examples_of(("a", "x"), ("b", "y"), ("c", "x")).take([2, 0])
    assert (examples.texts, examples.labels, examples.lines) == (["c", "a"], ["x", "x"], [4, 2])


def test_unlabelled_examples_need_no_label():
    assert unlabelled_examples(table(("text",), ("a",)), Columns("text")).labels is None
