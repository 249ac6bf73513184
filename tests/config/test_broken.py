"""Broken configs: each with its message, in both languages, and all faults of one file at once."""

import json
import os
import re

import pytest

from bertsmith.cli.main import main

BERT = {
    "model_type": "bert",
    "vocab_size": 1024,
    "hidden_size": 768,
    "num_hidden_layers": 2,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
}
KERAS = {"vocabulary_size": 1024, "num_layers": 2, "num_heads": 2, "hidden_dim": 128, "intermediate_dim": 512}
UER = {"emb_size": 128, "hidden_size": 128, "feedforward_size": 512, "heads_num": 2, "layers_num": 2}
GONE = object()


def bert(**changes):
    return {key: value for key, value in (BERT | changes).items() if value is not GONE}


def keras(**changes):
    return {
        "class_name": "BertBackbone",
        "config": {key: value for key, value in (KERAS | changes).items() if value is not GONE},
    }


# name: object, codes of the faults, words of the English and of the Chinese report
BROKEN = {
    "a width that heads do not divide": (bert(hidden_size=770), ["head-width"], "use 768 or 780", "改为 768 或 780"),
    "more heads than numbers to share": (
        bert(num_attention_heads=1000),
        ["more-heads-than-width"],
        "use 12 or 16 for num_attention_heads, or 64000 for hidden_size",
        "将 num_attention_heads 改为 12 或 16，或将 hidden_size 改为 64000",
    ),
    "a width that only one head fits": (
        bert(hidden_size=769),
        ["head-width"],
        "use 768 or 780 for hidden_size, or 1 for num_attention_heads",
        "将 num_attention_heads 改为 1",
    ),
    "a dropout past every float": (bert(hidden_dropout_prob=10**400), ["out-of-bounds"], "is 1.00e+400", "0 到 0.99 之间"),
    "an epsilon below every float": (bert(layer_norm_eps=-(10**400)), ["out-of-bounds"], "is -1.00e+400", "为 -1.00e+400"),
    "a vocabulary past every memory": (bert(vocab_size=10**30), ["out-of-bounds"], "to 2147483647", "到 2147483647 之间"),
    "layers without end": (bert(num_hidden_layers=2**63), ["out-of-bounds"], "from 1 to 4096", "1 到 4096 之间"),
    "a width without end": (bert(hidden_size=2 * 10**9), ["out-of-bounds"], "from 1 to 1048576", "1 到 1048576 之间"),
    "heads without end": (bert(num_attention_heads=10**12), ["out-of-bounds"], "from 1 to 16384", "1 到 16384 之间"),
    "a feed-forward part without end": (bert(intermediate_size=10**12), ["out-of-bounds"], "to 4194304", "到 4194304 之间"),
    "positions without end": (bert(max_position_embeddings=10**12), ["out-of-bounds"], "to 16777216", "到 16777216 之间"),
    "segments without end": (bert(type_vocab_size=10**12), ["out-of-bounds"], "from 1 to 65536", "1 到 65536 之间"),
    "a padding past every id": (bert(pad_token_id=10**30), ["out-of-bounds"], "to 2147483646", "到 2147483646 之间"),
    "a text as long as a book": (bert(hidden_size="7" * 10**6), ["wrong-type"], "777…", "777…"),
    "a misspelled gelu": (bert(hidden_act="gleu"), ["unknown-activation"], "did you mean 'gelu'?", "是否想用 'gelu'？"),
    "an activation that is none": (bert(hidden_act=None), ["unknown-activation"], "hidden_act is None", "hidden_act 为 None"),
    "an activation of another kind": (bert(hidden_act="mish"), ["unknown-activation"], "use one of", "可选值"),
    "a size as a text": (bert(hidden_size="768"), ["wrong-type"], "hidden_size is '768'", "应为整数"),
    "a size that is no whole number": (bert(num_hidden_layers=2.5), ["wrong-type"], "a whole number", "应为整数"),
    "a size that is true": (bert(num_hidden_layers=True), ["wrong-type"], "num_hidden_layers is True", "应为整数"),
    "a size that is absent": (bert(hidden_size=GONE), ["config-without-size"], "hidden_size is missing", "缺少 hidden_size"),
    "all sizes absent": (
        {"model_type": "bert"},
        ["config-without-size"] * 5,
        "intermediate_size is missing",
        "缺少 vocab_size",
    ),
    "an empty object": ({}, ["config-without-size"] * 5, "vocab_size is missing", "缺少 vocab_size"),
    "a misspelled field": (
        bert(hidden_size=GONE, hiden_size=768),
        ["config-without-size", "misspelled-field"],
        "rename 'hiden_size' to 'hidden_size'",
        "改名为 'hidden_size'",
    ),
    "a misspelled field with a default": (
        bert(layer_norm_epsilon=1e-5),
        ["misspelled-field"],
        "'layer_norm_eps' is absent",
        "'layer_norm_eps' 缺失",
    ),
    "no vocabulary": (bert(vocab_size=0), ["out-of-bounds"], "vocab_size is 0", "vocab_size 为 0"),
    "a negative size": (bert(vocab_size=-3), ["out-of-bounds"], "vocab_size is -3", "vocab_size 为 -3"),
    "no layers": (bert(num_hidden_layers=0), ["out-of-bounds"], "from 1 to 4096", "1 到 4096 之间"),
    "no heads": (bert(num_attention_heads=0), ["out-of-bounds"], "num_attention_heads is 0", "num_attention_heads 为 0"),
    "a dropout of everything": (bert(hidden_dropout_prob=1.0), ["out-of-bounds"], "from 0 to 0.99", "0 到 0.99 之间"),
    "a dropout in per cent": (bert(attention_probs_dropout_prob=10), ["out-of-bounds"], "is 10", "为 10"),
    "a dropout that is no number": (bert(classifier_dropout="none"), ["wrong-type"], "a number or nothing", "数或空"),
    "first weights without a spread": (bert(initializer_range=0), ["out-of-bounds"], "above 0", "大于 0"),
    "a negative epsilon": (bert(layer_norm_eps=-1e-12), ["out-of-bounds"], "layer_norm_eps is -1e-12", "layer_norm_eps 为"),
    "an epsilon as a text": (bert(layer_norm_eps="1e-12"), ["wrong-type"], "give layer_norm_eps as a number", "应为数"),
    "no segments": (bert(type_vocab_size=0), ["out-of-bounds"], "type_vocab_size is 0", "type_vocab_size 为 0"),
    "hardly a position": (bert(max_position_embeddings=3), ["out-of-bounds"], "from 4 to", "4 到 16777216 之间"),
    "a padding outside": (bert(pad_token_id=1024), ["padding-outside"], "give an id below 1024", "小于 1024"),
    "a negative padding": (bert(pad_token_id=-1), ["out-of-bounds"], "pad_token_id is -1", "pad_token_id 为 -1"),
    "a RoBERTa": (bert(model_type="roberta"), ["other-network"], "this is RoBERTa", "这是 RoBERTa"),
    "an ALBERT": (bert(model_type=GONE, embedding_size=128), ["other-network"], "this is ALBERT", "这是 ALBERT"),
    "relative positions": (
        bert(position_embedding_type="relative_key"),
        ["other-network"],
        "distances between tokens",
        "词元之间的距离",
    ),
    "a decoder": (bert(is_decoder=True), ["other-network"], "only what stands before it", "它之前的内容"),
    "a keras-hub backbone without a size": (
        keras(hidden_dim=GONE),
        ["config-without-size"],
        "hidden_dim is missing",
        "缺少 hidden_dim",
    ),
    "a keras-hub backbone with a wrong size": (keras(num_heads=3), ["head-width"], "use 126 or 129", "改为 126 或 129"),
    "a keras-hub backbone with a misspelled size": (
        keras(num_layers=GONE, num_layrs=2),
        ["config-without-size", "misspelled-field"],
        "rename 'num_layrs' to 'num_layers'",
        "改名为 'num_layers'",
    ),
    "a keras-hub class of another kind": (
        {"class_name": "AlbertBackbone", "config": {}},
        ["other-network"],
        "this is ALBERT",
        "这是 ALBERT",
    ),
    "a UER-py config alone": (UER, ["vocabulary-not-told"], "give --vocab-size", "请给出 --vocab-size"),
    "a wrong field under our own key": (
        bert(bertsmith={"fields": {"hiden_size": 3}}),
        ["unknown-key"],
        "did you mean 'hidden_size'?",
        "是否想用 'hidden_size'？",
    ),
    "everything at once": (
        bert(
            hidden_size=770,
            hidden_act="gleu",
            vocab_size=-1,
            hidden_dropout_prob="high",
            intermediate_sise=9,
            intermediate_size=GONE,
        ),
        ["config-without-size", "misspelled-field", "unknown-activation", "out-of-bounds", "wrong-type", "head-width"],
        "use 768 or 780",
        "改为 768 或 780",
    ),
}


def test_there_are_thirty_and_more():
    assert len(BROKEN) >= 30


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_is_told_with_every_fault(name, language, tmp_path, capsys):
    values, codes, english, chinese = BROKEN[name]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    assert main(["config", "check", str(path), "--language", language]) == 2
    out, err = capsys.readouterr()
    assert re.findall(r"\[([a-z-]+)\]$", out, flags=re.MULTILINE) == codes
    assert (english if language == "en" else chinese) in out
    assert out.count("\n  → ") == len(codes)
    assert "Traceback" not in out + err


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_is_refused_by_every_other_verb_with_the_same_faults(name, tmp_path, capsys):
    values, codes, english, _ = BROKEN[name]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    for words in (["show", str(path)], ["diff", "base", str(path)], ["convert", str(path), "--to", "google"]):
        assert main(["config", *words]) == 2
        out, err = capsys.readouterr()
        assert out == "" and english in err
        assert re.findall(r"\[([a-z-]+)\]$", err, flags=re.MULTILINE) == codes


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "config-not-json"),
        (b"[1]", "config-not-json"),
        (b"\xff\xfe\x00", "config-not-json"),
        (b"[" * 99_999, "config-not-json"),
        (b"", "config-not-json"),
        (b'"' + b"x" * 2**24 + b'"', "config-not-json"),
        (b'{"x": ' + b"[" * 500 + b"]" * 500 + b"}", "config-not-json"),
        (b'{"name": "\xe9"}', "config-not-json"),
        (b'{"a": 1,}', "config-not-json"),
        (b"\0\1" * 8, "config-not-json"),
        ('{"model_type": "bert"}'.encode("utf-16"), "config-not-utf-8"),
        ('{"model_type": "bert"}'.encode("utf-16-le"), "config-not-utf-8"),
        (None, "no-config"),
    ],
)
def test_what_is_no_json_object_is_refused(content, code, tmp_path, capsys):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    for language in ("en", "zh"):
        assert main(["config", "check", str(path), "--language", language]) == 2
        out, err = capsys.readouterr()
        assert out == "" and f"[{code}]" in err and "Traceback" not in err
    reason = err.replace(str(path), "").partition("[")[0]
    assert set(re.findall(r"[A-Za-z]+", reason)) <= {"JSON", "MiB", "UTF", "config", "bert", "json"}, "English in the Chinese"


def test_a_whole_number_too_long_to_be_read_is_told_as_a_wrong_value(tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(bert()).replace("1024", "9" * 5000))
    assert main(["config", "check", str(path)]) == 2
    assert "vocab_size is inf [wrong-type]" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["check"], ["show"], ["diff", "base"], ["estimate"], ["new", "--output", "c.json", "--like"]]
)
def test_a_pipe_is_refused_and_not_waited_for(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    assert main(["config", *words, "pipe"]) == 2
    assert "pipe: this is a pipe, a socket or a device, and a config is read from a file" in capsys.readouterr().err


def test_a_device_without_end_is_refused(capsys):
    assert main(["config", "check", "/dev/zero"]) == 2
    assert "[config-not-a-file]" in capsys.readouterr().err


def test_a_key_that_stands_twice_is_warned_of(tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text('{"hidden_size": 1, ' + json.dumps(bert())[1:])
    assert main(["config", "check", str(path)]) == 0
    assert "has hidden_size more than once, and of each the last one counts [repeated-key]" in capsys.readouterr().out
