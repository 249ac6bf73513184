"""The verbs of `config` through the command line."""

import json
import subprocess
import sys

import pytest

from bertsmith.cli.main import main
from bertsmith.config.fields import build
from bertsmith.config.formats import config_from_values, read_config_file
from bertsmith.config.presets import PRESETS, preset
from bertsmith.errors import ConfigError
from bertsmith.jobs.config_settings import ConfigCheckSettings, ConfigNewSettings

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s"]
GOOGLE = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "intermediate_size": 256,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def google(tmp_path):
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps(GOOGLE | {"directionality": "bidi"}), encoding="utf-8")
    return path


def vocabulary(tmp_path, pieces=PIECES):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return path


def run(capsys, *words, code=0):
    assert main(["config", *map(str, words)]) == code
    return capsys.readouterr()


def numbers(capsys, *words, code=0):
    return json.loads(run(capsys, *words, "--json", code=code).out)


# new


def test_a_new_config_begins_with_a_preset_and_takes_every_field_as_a_flag(capsys, tmp_path):
    run(capsys, "new", "--like", "mini", "--output", "c.json", "--vocab-size", 1000, "--hidden-act", "gelu_tanh")
    assert read_config_file(tmp_path / "c.json").config == preset("mini", vocab_size=1000).replace(hidden_act="gelu_tanh")


def test_heads_and_feed_forward_follow_a_new_width(capsys, tmp_path):
    run(capsys, "new", "--output", "c.json", "--hidden-size", 512)
    config = read_config_file(tmp_path / "c.json").config
    assert (config.num_attention_heads, config.intermediate_size) == (8, 2048)


def test_a_new_config_begins_with_a_file_in_another_form(capsys, google, tmp_path):
    run(capsys, "new", "--like", google, "--num-hidden-layers", 5, "--form", "keras", "--output", "k.json")
    assert read_config_file(tmp_path / "k.json").config == read_config_file(google).config.replace(num_hidden_layers=5)


def test_a_wish_finds_sizes_and_says_how_near_they_come(capsys, tmp_path):
    told = numbers(capsys, "new", "--params", "25M", "--output", "c.json")
    assert told["wished"] == 25_000_000 and abs(told["away"]) < 0.03
    assert "-2.05% from the wish of 25,000,000" in run(capsys, "new", "--params", "25M", "--output", "c.json").out


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--params", "5"], "wish for 2,040,576, or give a smaller --vocab-size"),
        (["--params", "900B"], "or give --hidden-size and --num-hidden-layers in place of --params"),
        (["--params", "25M", "--hidden-size", 4096], "or change or leave out --hidden-size"),
    ],
)
def test_a_wish_that_is_missed_by_far_is_refused_with_what_can_be_wished_for(words, advice, capsys, tmp_path):
    told = run(capsys, "new", *words, "--output", "c.json", code=2).err
    assert "[wish-missed]" in told and advice in told and list(tmp_path.iterdir()) == []


def test_a_vocabulary_gives_size_and_padding(capsys, tmp_path):
    path = vocabulary(tmp_path, ["the", *PIECES[:5], "a", "b", "c"])
    run(capsys, "new", "--like", "tiny", "--vocabulary", path, "--output", "c.json")
    config = read_config_file(tmp_path / "c.json").config
    assert (config.vocab_size, config.pad_token_id) == (9, 1)
    told = run(capsys, "new", "--vocabulary", path, "--vocab-size", 8, "--output", "d.json", code=2)
    assert "[vocabulary-over-rows]" in told.err and not (tmp_path / "d.json").exists()


def test_a_different_file_is_never_overwritten(capsys, tmp_path):
    path = tmp_path / "c.json"
    run(capsys, "new", "--like", "tiny", "--output", path)
    there = path.read_bytes()
    assert "holds this config already" in run(capsys, "new", "--like", "tiny", "--output", path).out
    assert "[config-place-taken]" in run(capsys, "new", "--like", "mini", "--output", path, code=2).err
    assert "[config-place-taken]" in run(capsys, "convert", "mini", "--to", "keras", "--output", path, code=2).err
    assert path.read_bytes() == there


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--hidden-size", 770, "--num-attention-heads", 12], "head-width"),
        (["--hidden-size", 2 * 10**9], "out-of-bounds"),
        (["--num-attention-heads", 10**12], "out-of-bounds"),
        (["--num-attention-heads", 1000], "more-heads-than-width"),
        (["--params", "12X"], "bad-params"),
        (["--params=-5M"], "bad-params"),
        (["--params", ""], "bad-params"),
        (["--params", "1" + "0" * 400], "bad-params"),
        (["--like", ""], "unknown-preset"),
        (["--hidden-act", "gleu"], "unknown-choice"),
        (["--like", "bse"], "unknown-preset"),
        (["--form", "torch"], "unknown-choice"),
        (["--vocabulary", "nowhere.txt"], "no-vocabulary"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_wrong_wish_is_refused_and_nothing_is_written(words, code, language, capsys, tmp_path):
    assert main(["config", "new", "--output", "c.json", *map(str, words), "--language", language]) in (2, 3)
    assert f"[{code}]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("activation", "advice"),
    [
        ("gelu", "gelu_erf is the exact one, transformers' gelu, and gelu_tanh that of Google's code since 2019"),
        ("gelu_new", "transformers' gelu_new is gelu_tanh"),
        ("gelu_eff", "did you mean 'gelu_erf'?"),
    ],
)
def test_an_activation_by_the_name_of_others_is_told_by_ours(activation, advice, capsys):
    assert run(capsys, "new", "--hidden-act", activation, "--output", "c.json", code=2).err.rstrip().endswith(advice)


# check


@pytest.mark.parametrize("words", [["show", ""], ["diff", "", "base"], ["convert", "", "--to", "google"], ["estimate", ""]])
def test_an_empty_name_is_no_folder(words, capsys, google):
    assert "there is no preset, file or folder ''" in run(capsys, *words, code=2).err


@pytest.mark.parametrize(("settings", "field"), [(ConfigCheckSettings, "config"), (ConfigNewSettings, "output")])
def test_an_empty_path_is_none(settings, field):
    with pytest.raises(ConfigError, match=f"{field} is ''"):
        build(settings, {field: ""})


@pytest.mark.parametrize("name", ["base", "google-bert/bert-base-uncased", "bert-base-chinese"])
def test_the_name_of_a_model_is_not_checked_and_the_way_to_its_file_is_told(name, capsys):
    told = run(capsys, "check", name, code=2).err
    assert "[check-needs-a-file]" in told
    assert f"bertsmith config convert {name} --to huggingface --output config.json" in told


def test_a_sound_config_is_fine(capsys):
    run(capsys, "new", "--like", "chinese", "--output", "c.json")
    assert run(capsys, "check", "c.json").out.startswith("c.json: nothing to remark\n")


def test_warnings_alone_leave_the_exit_code_at_zero(capsys):
    run(capsys, "new", "--like", "base", "--layer-norm-eps", "1e-5", "--output", "c.json")
    told = numbers(capsys, "check", "c.json")
    assert (told["faults"], told["warnings"]) == (0, 2)
    assert [finding["code"] for finding in told["findings"]] == ["odd-vocabulary", "odd-epsilon"]
    assert all(finding["level"] == "warning" and finding["do"] != finding["what"] for finding in told["findings"])


def test_json_tells_faults_too_and_the_exit_code_is_two(capsys, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(GOOGLE | {"hidden_act": "gleu", "hidden_size": "64"}))
    told = numbers(capsys, "check", "c.json", "--language", "zh", code=2)
    assert [(finding["code"], finding["level"]) for finding in told["findings"]] == [
        ("unknown-activation", "fault"),
        ("wrong-type", "fault"),
    ]
    assert told["findings"][0]["what"] == "hidden_act 为 'gleu'"


def test_how_gelu_and_defaults_were_found_is_part_of_the_check(capsys, tmp_path):
    (tmp_path / "bert_config.json").write_text('{"vocab_size": 30528}')
    codes = [finding["code"] for finding in numbers(capsys, "check", tmp_path)["findings"]]
    assert codes == ["gelu-assumed", "google-defaults", "odd-segments"]


@pytest.mark.parametrize(
    ("rows", "codes", "exit_code"),
    [(8, [], 0), (16, ["spare-rows"], 0), (136, ["vocabulary-under-rows"], 2), (8000, ["vocabulary-under-rows"], 2)],
)
def test_a_vocabulary_is_held_against_the_rows(rows, codes, exit_code, capsys, tmp_path):
    path = vocabulary(tmp_path)
    run(capsys, "new", "--like", "chinese", "--vocab-size", rows, "--output", "c.json")
    told = numbers(capsys, "check", "c.json", "--vocabulary", path, code=exit_code)
    assert [finding["code"] for finding in told["findings"]] == codes


def test_a_vocabulary_that_is_too_large_or_pads_elsewhere_is_told_with_the_other_faults(capsys, tmp_path):
    path = vocabulary(tmp_path, ["the", *PIECES[:5], *map(str, range(200))])
    (tmp_path / "c.json").write_text(json.dumps(GOOGLE | {"hidden_act": "gleu", "pad_token_id": 0}))
    told = numbers(capsys, "check", "c.json", "--vocabulary", path, code=2)
    codes = [finding["code"] for finding in told["findings"]]
    assert codes == ["unknown-activation", "vocabulary-over-rows", "padding-elsewhere"]


def test_a_vocabulary_without_special_pieces_is_a_finding(capsys, tmp_path):
    path = vocabulary(tmp_path, ["the", "cat", "[PAD]"])
    run(capsys, "new", "--like", "chinese", "--output", "c.json")
    told = numbers(capsys, "check", "c.json", "--vocabulary", path, code=2)
    assert [finding["code"] for finding in told["findings"]] == ["special-piece-missing"]


# diff


def test_the_same_networks_are_told_as_the_same(capsys):
    assert run(capsys, "diff", "base", "chinese", "--vocab-size", 9000).out == "base and chinese are the same network.\n"


def test_another_vocabulary_changes_the_tables_alone(capsys):
    told = numbers(capsys, "diff", "base", "chinese")
    assert told["fields"] == {"vocab_size": [30522, 21128]}
    assert told["parameters"] == [109_482_240, 102_267_648]
    assert told["arrays"] == {
        "bert.embeddings.word_embeddings.weight": ["30522×768", "21128×768"],
        "cls.predictions.bias": ["30522", "21128"],
    }
    assert not told["weights_load"] and told["answers_alike"]
    assert "the encoder layers of one can start the other" in run(capsys, "diff", "base", "chinese").out


def test_more_layers_are_told_together(capsys):
    out = run(capsys, "diff", "rbt3", "rbt6").out
    assert "48 of 110 arrays differ" in out and "bert.encoder.layer.3–5.*" in out
    assert "bert.encoder.layer.3.*" in run(capsys, "diff", "rbt4", "rbt3").out


def test_another_gelu_leaves_the_shapes_and_changes_the_answers(capsys):
    told = numbers(capsys, "diff", "tiny", "L-2_H-128_A-2")
    assert told["weights_load"] and not told["answers_alike"]
    assert "因为 hidden_act 不同" in run(capsys, "diff", "tiny", "L-2_H-128_A-2", "--language", "zh").out


def test_operations_a_token_are_compared(capsys):
    told = numbers(capsys, "diff", "uer-base", "rbt6")["forward_flops_per_token"]["512"]
    # of 12 layers: 2·12·(4·768² + 2·768·3072) + 4·12·512·768 = 188.7 million, halved with half of the layers; the heads are the same
    assert told[0] - told[1] == pytest.approx(188.74e6 / 2, rel=1e-4)


# convert


def test_a_config_goes_to_another_form_and_back_through_the_command_line(capsys, google, tmp_path):
    run(capsys, "convert", google, "--to", "keras", "--output", "k.json")
    run(capsys, "convert", "k.json", "--to", "huggingface", "--output", "h.json")
    (tmp_path / "back").mkdir()
    run(capsys, "convert", "h.json", "--to", "google", "--output", "back")
    assert json.loads((tmp_path / "back" / "bert_config.json").read_text("utf-8")) == json.loads(google.read_text("utf-8"))


def test_without_an_output_the_object_alone_is_printed_and_what_is_lost_is_told_beside_it(capsys, google):
    told = run(capsys, "convert", google, "--to", "keras", "--gelu", "erf")
    assert config_from_values(json.loads(told.out), where="").config.hidden_act == "gelu_erf"
    assert "always computes gelu with tanh, not gelu_erf" in told.err and "no place for directionality" in told.err
    told = numbers(capsys, "convert", google, "--to", "keras", "--gelu", "erf", "--language", "zh")
    assert told["not_honoured"][0] == "keras-hub 总是用 tanh 形式的 gelu 计算，而非 gelu_erf"


def test_the_gelu_that_was_asked_for_is_written_down(capsys, google, tmp_path):
    run(capsys, "convert", google, "--to", "google", "--gelu", "google-2018", "--output", "g.json")
    assert read_config_file(tmp_path / "g.json").gelu.origin == "recorded"
    assert "gelu" not in run(capsys, "show", "g.json").err


def test_uer_is_asked_for_its_vocabulary(capsys, tmp_path):
    uer = {"emb_size": 128, "hidden_size": 128, "feedforward_size": 512, "heads_num": 2, "layers_num": 2, "dropout": 0.1}
    (tmp_path / "u.json").write_text(json.dumps(uer))
    assert "--vocab-size" in run(capsys, "convert", "u.json", "--to", "huggingface", code=2).err
    told = run(capsys, "convert", "u.json", "--to", "huggingface", "--vocab-size", 21128)
    assert json.loads(told.out)["vocab_size"] == 21128


def test_a_preset_can_be_converted(capsys):
    assert config_from_values(numbers(capsys, "convert", "base", "--to", "google")["values"], where="").config == preset("base")


# presets


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_preset_is_listed_with_its_counts(language, capsys):
    out = run(capsys, "presets", "--language", language).out
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert lines.keys() >= PRESETS.keys()
    assert lines["rbtl3"][1:9] == ["3", "1024", "16", "21128", "erf?", "61,001,728", "62,076,554", "hfl/rbtl3"]
    columns = {len(line) - len(line.lstrip()) for line in out.splitlines()[:5]}
    assert columns == {2}


def test_json_tells_what_is_inferred(capsys):
    told = numbers(capsys, "presets")
    assert told["base"]["gelu_inferred"] is False and told["L-2_H-128_A-2"]["gelu_inferred"] is True
    assert told["base"]["hub"] == "google-bert/bert-base-uncased"


# what is loaded


@pytest.mark.parametrize(
    "words",
    [
        ["show", "base"],
        ["explain"],
        ["explain", "hidden_size"],
        ["presets"],
        ["diff", "base", "large"],
        ["new", "--output", "c.json"],
        ["check", "c.json"],
        ["convert", "c.json", "--to", "keras"],
        ["show", "c.json"],
    ],
)
def test_nothing_heavy_is_loaded(words, tmp_path, capsys):
    run(capsys, "new", "--like", "base", "--output", "c.json")
    heavy = ("torch", "numpy", "tokenizers", "sklearn", "scipy", "matplotlib", "jinja2", "safetensors", "transformers")
    script = (
        f"import sys\nfrom bertsmith.cli.main import main\ncode = main(['config', *{words!r}])\n"
        f"print(code, [name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.splitlines()[-1] == "0 []"
