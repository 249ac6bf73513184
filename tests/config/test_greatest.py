"""The greatest values that the fields allow can be shown, checked, compared and estimated."""

import dataclasses
import json

import pytest

from bertsmith.checkpoints import names
from bertsmith.cli.main import main
from bertsmith.config.bert import DEEPEST, BertConfig
from bertsmith.config.fields import doc_of

GREATEST = {
    field.name: doc_of(field).high
    for field in dataclasses.fields(BertConfig)
    if doc_of(field).high is not None and field.type in (int, "int")
}


@pytest.fixture
def greatest(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "bert", "hidden_act": "gelu", **GREATEST}))
    return str(path)


def test_every_whole_number_of_a_config_has_a_greatest_value():
    assert GREATEST.keys() == {field.name for field in dataclasses.fields(BertConfig) if field.type in (int, "int")}


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["check"],
        ["convert", "--to", "keras"],
        ["estimate", "--batch-size", "65536", "--max-seq-length", "65536", "--steps", "1000000000", "--machine", "T4"],
    ],
)
def test_the_greatest_config_goes_through_every_verb(words, greatest, capsys):
    assert main(["config", words[0], greatest, *words[1:]]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_the_arrays_of_the_deepest_config_are_listed_once_for_a_comparison(greatest, capsys, monkeypatch):
    layers = []
    monkeypatch.setattr(
        names, "_layer", lambda config, prefix, layer=names._layer: layers.append(prefix) or layer(config, prefix)
    )
    assert main(["config", "diff", "base", greatest]) == 0
    assert f"bert.encoder.layer.12–{DEEPEST - 1}.*" in capsys.readouterr().out
    assert len(layers) <= 2 * (12 + DEEPEST)
