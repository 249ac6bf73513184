import pytest
from fake_jobs import FakeJob, put_in_place

from bertsmith.cli.main import main


@pytest.fixture
def pretrain(monkeypatch):
    return put_in_place(monkeypatch, "pretrain", FakeJob())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["pretrain", "s", "--stepss", "5"], "unknown-flag", "did you mean --steps?"),
        (["pretrain", "s", "--jsn"], "unknown-flag", "did you mean --json?"),
        (["--versoin"], "unknown-flag", "did you mean --version?"),
        (["pretrain", "s", "--zzzz"], "unknown-flag-of", "see bertsmith pretrain --help"),
        (["pretran", "s"], "unknown-verb", "did you mean 'pretrain'?"),
        (["config", "shw"], "unknown-verb", "did you mean 'show'?"),
        (["pretrain", "s", "--steps"], "flag-without-value", "write --steps VALUE"),
        (["pretrain", "s", "--steps", "1", "--steps", "2"], "flag-twice", "keep one --steps"),
        (["pretrain", "s", "--allow-inexact=perhaps"], "flag-not-a-switch", "--no-allow-inexact for off"),
        (["pretrain", "s", "t"], "too-many-arguments", "not expected: t"),
        (["pretrain"], "missing-field", "error: STORE is missing [missing-field]\n  → give it: folder of the token store"),
        (["finetune", "t.csv"], "missing-field", "--model is missing"),
        (["pretrain", "s", "--steps", "many"], "wrong-type", "--steps: steps is 'many'"),
        (["pretrain", "s", "--steps", "1.5"], "wrong-type", "a whole number"),
        (["pretrain", "s", "--warmup", "nan"], "wrong-type", "--warmup"),
        (["pretrain", "s", "--recipe", "leen"], "unknown-choice", "did you mean 'lean'?"),
        (["pretrain", "s", "--max-seq-length", "4"], "out-of-bounds", "--max-seq-length"),
        (["--language", "fr", "pretrain", "s"], "unknown-language", "--language zh"),
    ],
)
def test_a_wrong_command_line_says_what_and_what_to_do(pretrain, words, code, told, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and f"[{code}]" in err and told in err
    assert err.startswith("error: ") and "Traceback" not in err
    assert pretrain.settings is None


def test_all_wrong_values_are_told_at_once(pretrain, capsys):
    assert main(["pretrain", "--steps", "0", "--recipe", "x", "--batch-size", "y"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: 4 faults\n")
    assert all(flag in err for flag in ("STORE", "--steps", "--recipe", "--batch-size"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pretrain", "s", "--stepss", "5"], "没有选项 --stepss"),
        (["pretran"], "没有命令 'pretran'"),
        (["pretrain", "s", "--steps"], "选项后缺少值"),
        (["pretrain", "s", "t"], "不需要的参数：t"),
        (["pretrain"], "缺少 STORE [missing-field]\n  → 请给出：词元库的文件夹"),
        (["pretrain", "s", "--steps", "0"], "--steps：steps 为 0 [out-of-bounds]\n  → 请给出不小于 1 的值"),
    ],
)
def test_a_wrong_command_line_is_told_in_chinese(pretrain, monkeypatch, words, told, capsys):
    monkeypatch.setenv("BERTSMITH_LANG", "zh")
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("错误：") and told in err
