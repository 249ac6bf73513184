"""`config explain` and the reference page tell the same metadata, in both languages."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import pytest

from bertsmith.cli.main import main
from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import doc_of

FIELDS = dataclasses.fields(BertConfig)
CHINESE = ("\u4e00", "\u9fff")


def explained(capsys, *words):
    assert main(["config", "explain", *words]) == 0
    return capsys.readouterr().out


def reference(language):
    spec = importlib.util.spec_from_file_location("reference", Path(__file__).parents[2] / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages(language)["reference/config.md"]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_has_cost_change_and_source_in_both_languages(field):
    doc = doc_of(field)
    for phrase in (doc.meaning, doc.cost, doc.change):
        assert phrase.en and not phrase.en.endswith(".") and not phrase.zh.endswith("。")
        assert any(CHINESE[0] <= letter <= CHINESE[1] for letter in phrase.zh)
    assert doc.source


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_explain_and_the_reference_page_say_what_the_metadata_says(field, language, capsys):
    doc, page = doc_of(field), reference(language)
    told = explained(capsys, field.name, "--language", language)
    for text in (doc.meaning.text(language), doc.cost.text(language), doc.change.text(language)):
        assert text in told and text in page
    assert doc.source in told


def test_a_block_tells_type_limits_default_and_the_names_elsewhere(capsys):
    told = explained(capsys, "num_attention_heads")
    assert "a whole number" in told and "1 to 16384; default 12" in told
    assert "keras-hub: num_heads" in told and "UER-py: heads_num" in told


@pytest.mark.parametrize("word", ["num_heads", "heads_num", "num-attention-heads", "--num-attention-heads"])
def test_a_field_is_found_by_the_names_that_others_give_it(word, capsys):
    assert explained(capsys, "--", word).startswith("num_attention_heads\n")


def test_without_a_field_all_are_told(capsys):
    told = explained(capsys)
    assert [line.split()[0] for line in told.splitlines()[: len(FIELDS)]] == [field.name for field in FIELDS]
    values = json.loads(explained(capsys, "--json", "--language", "zh"))
    assert list(values) == [field.name for field in FIELDS]
    assert values["hidden_size"]["default"] == 768 and values["vocab_size"]["required"]
    assert values["layer_norm_eps"]["elsewhere"] == {
        "huggingface": "layer_norm_eps",
        "google": None,
        "keras": None,
        "uer": None,
    }


@pytest.mark.parametrize(("language", "asked"), [("en", "did you mean 'hidden_size'?"), ("zh", "是否想用 'hidden_size'？")])
def test_an_unknown_field_gets_the_nearest(language, asked, capsys):
    assert main(["config", "explain", "hiden_size", "--language", language]) == 2
    assert asked in capsys.readouterr().err
