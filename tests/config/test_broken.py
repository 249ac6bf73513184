"""Broken configs: each with its message, in both languages, and all faults of one file at once."""

import json
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
    "no layers": (bert(num_hidden_layers=0), ["out-of-bounds"], "at least 1", "不小于 1"),
    "no heads": (bert(num_attention_heads=0), ["out-of-bounds"], "num_attention_heads is 0", "num_attention_heads 为 0"),
    "a dropout of everything": (bert(hidden_dropout_prob=1.0), ["out-of-bounds"], "from 0 to 0.99", "0 到 0.99 之间"),
    "a dropout in per cent": (bert(attention_probs_dropout_prob=10), ["out-of-bounds"], "is 10", "为 10"),
    "a dropout that is no number": (bert(classifier_dropout="none"), ["wrong-type"], "a number or nothing", "数或空"),
    "first weights without a spread": (bert(initializer_range=0), ["out-of-bounds"], "above 0", "大于 0"),
    "a negative epsilon": (bert(layer_norm_eps=-1e-12), ["out-of-bounds"], "layer_norm_eps is -1e-12", "layer_norm_eps 为"),
    "an epsilon as a text": (bert(layer_norm_eps="1e-12"), ["wrong-type"], "give layer_norm_eps as a number", "应为数"),
    "no segments": (bert(type_vocab_size=0), ["out-of-bounds"], "type_vocab_size is 0", "type_vocab_size 为 0"),
    "hardly a position": (bert(max_position_embeddings=3), ["out-of-bounds"], "at least 4", "不小于 4"),
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
