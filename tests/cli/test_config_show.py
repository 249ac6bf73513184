import dataclasses
import json

import pytest

from bertsmith.cli.main import main
from bertsmith.config.bert import BertConfig
from bertsmith.config.presets import preset
from bertsmith.errors import ConfigError
from bertsmith.jobs.config_settings import ConfigShowSettings
from bertsmith.jobs.config_show import config_show

NAMES = [field.name for field in dataclasses.fields(BertConfig)]


def test_every_field_of_a_preset_is_shown_with_value_meaning_unit_and_source(capsys):
    assert main(["config", "show", "base"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)
    (line,) = [line for line in out.splitlines() if line.split()[:1] == ["hidden_size"]]
    assert line.split()[1] == "768" and "width of every token's vector [numbers; Devlin 2019" in line


def test_json_holds_the_values_as_they_are(capsys):
    assert main(["config", "show", "tiny", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: field["value"] for name, field in told["fields"].items()} == preset("tiny").to_dict()
    assert told["fields"]["hidden_size"]["unit"] == "numbers"


def test_meanings_are_chinese_for_a_chinese_reader(capsys):
    assert main(["config", "show", "tiny", "--language", "zh"]) == 0
    assert "每个词元向量的宽度［数；Devlin 2019" in capsys.readouterr().out


def test_a_config_file_is_shown(tmp_path, capsys):
    values = {"vocab_size": 1000, "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3, "intermediate_size": 99}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "bert", "hidden_act": "gelu", **values}), encoding="utf-8")
    assert main(["config", "show", str(path), "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)["fields"]
    assert {name: fields[name]["value"] for name in values} == values


def test_form_gelu_parameters_and_further_keys_are_shown(tmp_path, capsys):
    values = {"vocab_size": 100, "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3, "intermediate_size": 99}
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps(values | {"type_vocab_size": 2, "directionality": "bidi"}), encoding="utf-8")
    assert main(["config", "show", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["form"], told["gelu"]["activation"], told["gelu"]["origin"]) == ("google", "gelu_tanh", "rule")
    assert told["further_keys"] == ["directionality"]
    assert told["parameters"]["encoder_and_pooler"] == 132_777
    assert main(["config", "show", str(path), "--gelu", "erf", "--language", "zh"]) == 0
    out, err = capsys.readouterr()
    assert "gelu_erf：给定" in out and "directionality" in out and "--gelu" not in err


def test_the_gelu_of_a_file_that_does_not_say_it_is_warned_of_with_the_flag(tmp_path, capsys):
    path = tmp_path / "bert_config.json"
    path.write_text('{"vocab_size": 100}', encoding="utf-8")
    main(["config", "show", str(path)])
    assert "warning: " in (err := capsys.readouterr().err) and "--gelu erf or --gelu tanh" in err


def test_an_unknown_name_gets_the_nearest_preset():
    with pytest.raises(ConfigError, match="did you mean 'small'"):
        config_show(ConfigShowSettings(model="smal"), given={})


def test_a_path_that_does_not_exist_is_an_error_about_the_path(capsys):
    assert main(["config", "show", "no/such/config.json"]) in (2, 3, 4)
    assert "no/such/config.json" in capsys.readouterr().err
