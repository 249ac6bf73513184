"""The names and flags that people rely on. After a wanted change: `python tests/cli/test_public_surface.py`."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from fake_jobs import FakeJob, put_in_place

import bertsmith
from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import doc_of, types_of
from bertsmith.errors import ConfigError
from bertsmith.jobs.verbs import VERBS
from bertsmith.messages import flag_of
from bertsmith.messages.zh_cli import UNITS

FROZEN = Path(__file__).with_name("flags.txt")
DOCUMENTED = [*(verb.settings for verb in VERBS), BertConfig]
PYTHON_VERBS = [verb for verb in VERBS if verb.name in bertsmith.__all__]
HEAVY = ("torch", "numpy", "tokenizers", "sklearn", "scipy", "matplotlib", "jinja2", "safetensors")


def surface():
    """Every public name, every verb with its arguments and flags, a line each."""
    lines = [f"bertsmith.{name}" for name in bertsmith.__all__]
    for verb in VERBS:
        names = verb.positional()
        lines += [f"bertsmith {verb.name} {name.upper()}" for name in names]
        lines += sorted(f"bertsmith {verb.name} {flag_of(field.name)}" for field in verb.fields() if field.name not in names)
    return "\n".join(lines) + "\n"


def loaded_by(code):
    """The heavy packages that a fresh process loads."""
    script = f"import sys\n{code}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return found.stdout.splitlines()[-1]


def test_public_names_and_flags_are_the_frozen_ones():
    assert surface() == FROZEN.read_text(encoding="utf-8"), f"wanted? then run: python {__file__}"


@pytest.mark.parametrize("name", bertsmith.__all__)
def test_every_public_name_can_be_reached_and_is_documented(name):
    value = getattr(bertsmith, name)
    assert name == "__version__" or (value.__doc__ or "").strip()


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        bertsmith.no_such_name  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import bertsmith; dir(bertsmith)") == "[]"


def test_importing_the_verbs_loads_nothing_heavy():
    assert loaded_by("import bertsmith; bertsmith.pretrain; bertsmith.finetune") == "[]"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["pretrain", "--help"], ["config", "show", "tiny"]])
def test_help_and_version_load_nothing_heavy(words):
    assert loaded_by(f"from bertsmith.cli.main import main; main({words!r})") == "[]"


@pytest.mark.parametrize("cls", DOCUMENTED, ids=lambda cls: cls.__name__)
def test_every_field_is_documented_in_both_languages(cls):
    for field in dataclasses.fields(cls):
        doc = doc_of(field)
        assert doc.meaning.en.strip() and doc.meaning.zh.strip(), field.name
        assert any("一" <= character <= "鿿" for character in doc.meaning.zh), field.name
        assert not doc.meaning.en.endswith(".") and not doc.meaning.zh.endswith("。"), field.name
        assert doc.unit == "" or doc.unit in UNITS, field.name


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_is_summed_up_in_both_languages(verb):
    assert verb.summary.en.endswith(".") and verb.summary.zh.endswith("。")


@pytest.mark.parametrize("verb", PYTHON_VERBS, ids=lambda verb: verb.name)
def test_python_verbs_have_the_names_and_defaults_of_the_flags(verb):
    parameters = inspect.signature(getattr(bertsmith, verb.name)).parameters
    hints = types_of(verb.settings)
    assert set(parameters) == set(hints) | {"listen", "language"}
    for field in dataclasses.fields(verb.settings):
        wanted = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        assert parameters[field.name].default == wanted


def test_every_verb_but_those_of_config_is_a_python_function():
    assert [verb.name for verb in VERBS if verb not in PYTHON_VERBS and not verb.name.startswith("config ")] == []


def test_a_python_verb_runs_the_job_with_what_was_given(monkeypatch):
    job = put_in_place(monkeypatch, "pretrain", FakeJob())
    assert bertsmith.pretrain("store", steps=7).numbers["score"] == 0.5
    assert (job.settings.store, job.settings.steps, job.given) == (Path("store"), 7, {"store": "store", "steps": 7})


def test_a_python_verb_refuses_an_unknown_keyword_with_the_nearest(monkeypatch):
    put_in_place(monkeypatch, "pretrain", FakeJob())
    with pytest.raises(ConfigError, match="did you mean 'steps'"):
        bertsmith.pretrain(store="store", stepss=7)


@pytest.mark.parametrize("give", [lambda: bertsmith.pretrain("a", "b"), lambda: bertsmith.pretrain("a", store="b")])
def test_a_python_verb_refuses_values_that_have_no_place(give):
    with pytest.raises(ConfigError, match="without a name"):
        give()


def test_the_docstring_of_a_python_verb_lists_every_field():
    assert "steps: optimizer steps [in steps; at least 1; default 10000]." in bertsmith.pretrain.__doc__


if __name__ == "__main__":
    FROZEN.write_text(surface(), encoding="utf-8")
