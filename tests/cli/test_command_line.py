import json
from pathlib import Path

import pytest
from fake_jobs import FakeJob, put_in_place

from bertsmith import __version__
from bertsmith.cli.general import General, environment_language, take_general
from bertsmith.cli.main import main
from bertsmith.errors import UsageError
from bertsmith.progress import Advance, Stage, note

STAGED = (Stage("pretraining", 2, "steps"), note("found", "found {n} documents", n=3), Advance(2, {"mlm_loss": 4.25}))


@pytest.fixture
def pretrain(monkeypatch):
    return put_in_place(monkeypatch, "pretrain", FakeJob(STAGED))


def test_a_job_gets_its_settings_and_only_the_flags_that_were_given(pretrain):
    assert main(["pretrain", "store", "--steps", "5", "--learning-rate", "1e-3"]) == 0
    assert pretrain.given == {"store": Path("store"), "steps": 5, "learning_rate": 0.001}
    assert (pretrain.settings.store, pretrain.settings.steps, pretrain.settings.seed) == (Path("store"), 5, 0)


def test_an_argument_may_be_given_by_its_name_too(pretrain):
    assert main(["pretrain", "--store", "store"]) == 0
    assert pretrain.settings.store == Path("store")


@pytest.mark.parametrize(("flag", "value"), [("--allow-inexact", True), ("--no-allow-inexact", False)])
def test_a_switch_has_a_form_for_on_and_one_for_off(pretrain, flag, value):
    assert main(["pretrain", "store", flag]) == 0
    assert pretrain.given["allow_inexact"] is value


def test_a_whole_number_may_be_written_as_1e5(pretrain):
    assert main(["pretrain", "store", "--steps", "1e5"]) == 0
    assert pretrain.settings.steps == 100_000


def test_a_text_that_begins_with_a_hyphen_stands_behind_two_hyphens(monkeypatch):
    job = put_in_place(monkeypatch, "predict", FakeJob())
    assert main(["predict", "model", "--", "-5 degrees"]) == 0
    assert job.settings.source == "-5 degrees"


def test_the_result_goes_to_stdout_and_the_progress_to_stderr(pretrain, capsys):
    main(["pretrain", "store"])
    out, err = capsys.readouterr()
    assert out == "score 0.5 (en)\nnext: bertsmith predict\n"
    assert "found 3 documents" in err and "mlm loss 4.25" in err


def test_json_puts_nothing_but_the_numbers_on_stdout(pretrain, capsys):
    main(["pretrain", "store", "--json"])
    out, err = capsys.readouterr()
    assert json.loads(out) == {"score": 0.5, "text": "好"}
    assert "2/2 steps" in err


@pytest.mark.parametrize("words", [["--language", "zh", "pretrain", "store"], ["pretrain", "store", "--language=zh"]])
def test_the_language_flag_stands_anywhere(pretrain, words, capsys):
    assert main(words) == 0
    assert pretrain.language == "zh"
    assert "预训练：2/2 步，掩码损失 4.25" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "BERTSMITH_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "BERTSMITH_LANG": "zh"}, "zh"),
    ],
)
def test_the_environment_names_the_language(environment, language):
    assert environment_language(environment) == language


def test_the_flag_wins_over_the_environment():
    assert take_general(["--language", "en"], "zh") == (General("en"), [])


def test_words_behind_two_hyphens_are_never_taken_as_general_flags():
    assert take_general(["predict", "m", "--", "--json"], "en") == (General("en"), ["predict", "m", "--", "--json"])


@pytest.mark.parametrize("words", [["--language", "fr"], ["--language"]])
def test_an_unknown_language_is_refused(words):
    with pytest.raises(UsageError, match="there is no language"):
        take_general(words, "en")


@pytest.mark.parametrize("words", [[], ["--help"], ["config"], ["pretrain", "--help"], ["-h"]])
def test_help_ends_well(words, capsys):
    assert main(words) == 0
    assert "Usage: bertsmith" in capsys.readouterr().out


def test_help_tells_meaning_choices_bounds_default_unit_and_source(capsys):
    main(["pretrain", "--help"])
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert (
        "longest sequence, special tokens included [in tokens; 8 to 65536; default 128; source: Devlin 2019, appendix A.2]"
        in told
    )
    assert "[one of lean, google-2018; default lean;" in told
    assert "folder of the token store [required]" in told


def test_help_is_chinese_for_a_chinese_reader(monkeypatch, capsys):
    monkeypatch.setenv("BERTSMITH_LANG", "zh")
    main(["inspect", "--help"])
    told = capsys.readouterr().out
    assert "用法：bertsmith inspect PATH [选项]" in told
    assert "展示词元库样本的数量［不小于 1；默认 5］" in told
    assert "default" not in told


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bertsmith {__version__}\n"
