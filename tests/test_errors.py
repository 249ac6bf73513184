"""Errors say what, where and what to do, in English and Chinese."""

import pytest

from bertsmith import errors
from bertsmith.errors import BertsmithError, ConfigError, DataError, UsageError
from bertsmith.messages import Phrase, zh
from bertsmith.progress import note, warning


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setitem(zh.ERRORS, "too-short", ("只有 {count} 行{kind}", "请给出 {wanted} 行"))
    monkeypatch.setitem(zh.NOTES, "found", "找到 {count} 篇")


def too_short(count=1, where="a.csv:3"):
    kind = Phrase("plain", "普通")
    return DataError(
        "too-short", "only {count} {kind} lines", do="give {wanted}", where=where, count=count, wanted=9, kind=kind
    )


def test_a_message_says_where_what_code_and_what_to_do():
    assert str(too_short()) == "a.csv:3: only 1 plain lines [too-short]\n  → give 9"


def test_a_message_stands_in_chinese_with_the_same_values(chinese):
    assert too_short().text("zh") == "a.csv:3：只有 1 行普通 [too-short]\n  → 请给出 9 行"


def test_a_message_without_chinese_keeps_its_english():
    assert DataError("not-translated", "odd {x}", do="ask", x=1).text("zh") == "odd 1 [not-translated]\n  → ask"


def test_all_faults_of_an_input_are_told_in_one_error(chinese):
    error = DataError.all_of([too_short(1), too_short(2), too_short(3)])
    assert error.code == "too-short"
    assert [line for line in str(error).splitlines() if "only" in line] == [
        f"a.csv:3: only {count} plain lines [too-short]" for count in (1, 2, 3)
    ]
    assert error.text("zh").count("普通") == 3


def test_faults_that_have_faults_of_their_own_are_told_once_each():
    pair = DataError.all_of([too_short(2), too_short(3)])
    assert str(DataError.all_of([too_short(1), pair])).count("only") == 3


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UsageError", 2),
        ("ConfigError", 2),
        ("DataError", 3),
        ("CheckpointError", 4),
        ("RunFolderError", 4),
        ("MachineError", 5),
        ("Interrupted", 130),
    ],
)
def test_exit_codes_tell_kinds_of_errors_apart(name, code):
    assert getattr(errors, name).exit_code == code


def test_one_except_catches_every_error_of_a_person():
    for cls in (UsageError, ConfigError, DataError, errors.CheckpointError, errors.MachineError, errors.Interrupted):
        assert issubclass(cls, BertsmithError)


def test_notes_stand_in_both_languages(chinese):
    event = note("found", "{count} documents found", count=3)
    assert (event.text("en"), event.text("zh")) == ("3 documents found", "找到 3 篇")
    assert not event.warning
    assert warning("found", "{count}", count=1).warning


def test_a_phrase_in_a_note_is_told_in_the_readers_language(chinese):
    event = note("found", "{count} found", count=Phrase("three", "三"))
    assert (event.text("en"), event.text("zh")) == ("three found", "找到 三 篇")
