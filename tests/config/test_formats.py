"""The four forms of a config: read, written, and never less than what was there."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bertsmith.config.bert import ACTIVATIONS, BertConfig
from bertsmith.config.formats import FORMS, config_from_values, form_of, read_config_file, write_config
from bertsmith.errors import ConfigError

GOOGLE = {"vocab_size": 100, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
HUGGINGFACE = GOOGLE | {"model_type": "bert", "hidden_act": "gelu"}
KERAS = {
    "class_name": "BertBackbone",
    "config": {"vocabulary_size": 100, "num_layers": 2, "num_heads": 3, "hidden_dim": 24, "intermediate_dim": 40},
}
UER = {"emb_size": 24, "hidden_size": 24, "feedforward_size": 40, "heads_num": 3, "layers_num": 2, "max_seq_length": 64}
SAME = {"google": GOOGLE, "huggingface": HUGGINGFACE, "keras": KERAS, "uer": UER}
DEFAULT = BertConfig(vocab_size=30522)


def read(values, **more):
    return config_from_values(values, where="c.json", **more)


def refusal(values, **more):
    with pytest.raises(ConfigError) as caught:
        read(values, **more)
    return [caught.value, *caught.value.also]


def told(config, form):
    return [phrase.en for phrase in write_config(config, form)[1]]


@st.composite
def configs(draw):
    heads = draw(st.integers(1, 9))
    rate = st.floats(0, 0.99, allow_subnormal=False)
    vocab_size = draw(st.integers(8, 300_000))
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=heads * draw(st.integers(1, 64)),
        num_hidden_layers=draw(st.integers(1, 40)),
        num_attention_heads=heads,
        intermediate_size=draw(st.integers(1, 9000)),
        hidden_act=draw(st.sampled_from(ACTIVATIONS)),
        hidden_dropout_prob=draw(rate),
        attention_probs_dropout_prob=draw(rate),
        max_position_embeddings=draw(st.integers(4, 4096)),
        type_vocab_size=draw(st.integers(1, 16)),
        initializer_range=draw(st.floats(1e-4, 1)),
        layer_norm_eps=draw(st.sampled_from([1e-12, 1e-5, 0.0, 1])),
        pad_token_id=draw(st.sampled_from([0, 1, vocab_size - 1])),
        classifier_dropout=draw(st.none() | rate),
    )


@st.composite
def base_configs(draw):
    """Configs with the sizes of 2018 or near them, whose gelu is told by the rule."""
    layers, width = draw(st.sampled_from([(12, 768), (24, 1024), (6, 768)]))
    return BertConfig(
        vocab_size=draw(st.sampled_from([30522, 21128, 5000])),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        hidden_act=draw(st.sampled_from(ACTIVATIONS)),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
EXTRAS = st.dictionaries(
    st.sampled_from(["directionality", "pooler_fc_size", "lstm_dropout_prob", "finetuning_task", "notes", "torch_dtype"]), JSON
)


def through_json(values):
    return json.loads(json.dumps(values))


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(config=configs() | base_configs())
def test_every_config_survives_every_form(form, config):
    values = through_json(write_config(config, form)[0])
    found = read(values)
    assert (found.form, found.config) == (form, config)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(config=configs())
def test_what_was_read_and_did_not_change_is_written_as_it_was(form, config):
    values = through_json(write_config(config, form)[0])
    found = read(values)
    assert write_config(found.config, form, found)[0] == values


@pytest.mark.parametrize("there", FORMS)
@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(config=configs(), extras=EXTRAS, left_out=st.sets(st.sampled_from(["hidden_act", "type_vocab_size", "dropout"])))
def test_further_keys_and_keys_left_out_come_back_from_every_form(form, there, config, extras, left_out):
    values = through_json(write_config(config, form)[0] | extras)
    assume(form_of(values) == form)
    for key in left_out:
        values.pop(key, None)
    first = read(values)
    second = read(through_json(write_config(first.config, there, first)[0]))
    assert second.config == first.config
    assert write_config(second.config, form, second)[0] == values


@settings(deadline=None)
@given(
    first=configs(), second=configs(), form=st.sampled_from(sorted(FORMS)), there=st.sampled_from(sorted(FORMS)), extras=EXTRAS
)
def test_a_config_that_was_changed_on_the_way_is_written_as_it_is_now(first, second, form, there, extras):
    values = through_json(write_config(first, form)[0] | extras)
    assume(form_of(values) == form)
    changed = read(through_json(write_config(second, there, read(values))[0]))
    assert changed.config == second
    assert read(through_json(write_config(second, form, changed)[0])).config == second


def test_a_chain_of_forms_leads_back_to_the_first():
    values = HUGGINGFACE | {"directionality": "bidi", "hidden_act": "gelu_new", "classifier_dropout": 0.3, "pad_token_id": 1}
    found = read(values)
    for form in ("google", "keras", "uer", "google"):
        found = read(through_json(write_config(found.config, form, found)[0]))
    back, _ = write_config(found.config, "huggingface", found)
    assert back == values


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_recognised_by_its_keys(form):
    assert form_of(SAME[form]) == form
    config = read(SAME[form], vocab_size=100).config
    assert (config.hidden_size, config.num_attention_heads, config.intermediate_size) == (24, 3, 40)


def test_a_form_can_be_named_and_an_unknown_one_gets_the_nearest():
    assert read(GOOGLE, form="huggingface").config.type_vocab_size == 2
    (fault,) = refusal(GOOGLE, form="googel")
    assert fault.code == "unknown-form" and "did you mean 'google'?" in str(fault)
    with pytest.raises(ConfigError, match="no form 'pytorch'"):
        write_config(DEFAULT, "pytorch")


def test_google_takes_its_class_defaults_for_what_is_left_out(tmp_path):
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps({"vocab_size": 100}))
    notes = []
    read_back = read_config_file(tmp_path, listen=notes.append)
    config = read_back.config
    assert (config.hidden_size, config.num_hidden_layers, config.type_vocab_size, config.layer_norm_eps) == (768, 12, 16, 1e-12)
    assert "type_vocab_size" in read_back.defaulted
    assert [note.code for note in notes] == ["gelu-assumed", "google-defaults"]
    assert "type_vocab_size 16" in notes[1].text() and "type_vocab_size 16" in notes[1].text("zh")


def test_a_size_that_transformers_or_keras_leave_out_is_a_fault():
    keras = {"class_name": "BertBackbone", "config": {"vocabulary_size": 9}}
    assert {fault.code for fault in refusal({"model_type": "bert", "vocab_size": 9})} == {"config-without-size"}
    assert len(refusal(keras)) == 4


@pytest.mark.parametrize("kind", ["BertTextClassifier", "BertMaskedLM"])
def test_a_task_of_keras_hub_holds_its_backbone_inside(kind):
    task = {"class_name": kind, "config": {"backbone": KERAS, "num_classes": 3}}
    assert read(task).config == read(KERAS).config
    changed = read(KERAS).config.replace(num_hidden_layers=5)
    written, _ = write_config(changed, "keras", read(task))
    assert (written["config"]["backbone"]["config"]["num_layers"], written["config"]["num_classes"]) == (5, 3)


def test_uer_must_be_told_the_vocabulary():
    (fault,) = refusal(UER)
    assert fault.code == "vocabulary-not-told"
    assert "--vocab-size" in str(fault)
    assert read(UER, vocab_size=21128).config.vocab_size == 21128


def test_uer_keeps_its_two_names_of_the_width_together():
    found = read(UER, vocab_size=100)
    written, _ = write_config(found.config.replace(hidden_size=48), "uer", found)
    assert (written["emb_size"], written["hidden_size"]) == (48, 48)


@pytest.mark.parametrize(
    ("values", "gelu", "activation", "origin"),
    [
        (HUGGINGFACE, "auto", "gelu_erf", "stated"),
        (HUGGINGFACE | {"hidden_act": "gelu_new"}, "auto", "gelu_tanh", "stated"),
        (HUGGINGFACE | {"hidden_act": "gelu_new"}, "erf", "gelu_erf", "given"),
        (HUGGINGFACE | {"hidden_act": "relu"}, "auto", "relu", "stated"),
        (KERAS, "auto", "gelu_tanh", "stated"),
        (KERAS, "google-2018", "gelu_erf", "given"),
        (UER, "auto", "gelu_erf", "stated"),
        (UER | {"hidden_act": "gelu_fast"}, "auto", "gelu_tanh", "stated"),
        (GOOGLE, "auto", "gelu_tanh", "rule"),
        (GOOGLE, "google-2018", "gelu_erf", "given"),
        (GOOGLE, "google-2019", "gelu_tanh", "given"),
        (GOOGLE | {"hidden_act": "relu"}, "auto", "relu", "stated"),
        (GOOGLE | {"bertsmith": {"fields": {"hidden_act": "gelu_erf"}}}, "auto", "gelu_erf", "recorded"),
        (GOOGLE | {"bertsmith": {"fields": {"hidden_act": "gelu_erf"}}}, "tanh", "gelu_tanh", "given"),
    ],
)
def test_the_gelu_is_a_fact_with_an_origin(values, gelu, activation, origin):
    found = read(values, gelu=gelu, vocab_size=100)
    assert (found.config.hidden_act, found.gelu.activation, found.gelu.origin) == (activation, activation, origin)
    assert found.gelu.why.en and found.gelu.why.zh


SIZES_OF_2018 = [(12, 768, 12), (24, 1024, 16)]


@pytest.mark.parametrize("vocab_size", [30522, 28996, 21128, 119547, 105879])
@pytest.mark.parametrize("shape", SIZES_OF_2018)
def test_googles_form_with_the_sizes_of_2018_means_erf(shape, vocab_size):
    layers, width, heads = shape
    values = {"vocab_size": vocab_size, "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
    assert read(values).config.hidden_act == "gelu_erf"
    assert read(values | {"vocab_size": 32000}).config.hidden_act == "gelu_tanh"
    assert read(values | {"num_hidden_layers": 6}).config.hidden_act == "gelu_tanh"


def test_what_bertsmith_recorded_beside_the_file_goes_before_the_rule(tmp_path):
    (tmp_path / "bert_config.json").write_text(json.dumps(GOOGLE | {"hidden_act": "gelu"}))
    (tmp_path / "bertsmith.json").write_text('{"gelu": "gelu_erf"}')
    notes = []
    found = read_config_file(tmp_path, listen=notes.append)
    assert (found.gelu.activation, found.gelu.origin) == ("gelu_erf", "recorded")
    assert "gelu-assumed" not in [note.code for note in notes]
    assert read_config_file(tmp_path, gelu="tanh").gelu.origin == "given"
    (tmp_path / "bertsmith.json").write_text("[")
    assert read_config_file(tmp_path).gelu.origin == "rule"


def test_the_rule_that_decided_is_said_with_the_flag_that_changes_it(tmp_path):
    (tmp_path / "bert_config.json").write_text(json.dumps(GOOGLE | {"type_vocab_size": 2}))
    notes = []
    read_config_file(tmp_path / "bert_config.json", listen=notes.append)
    warned = notes[0]
    assert warned.warning and "--gelu" in warned.text() and "February 2019" in warned.text()
    assert "--gelu" in warned.text("zh") and "2019 年 2 月" in warned.text("zh")


def test_a_gelu_that_was_decided_is_written_down_where_the_form_cannot_say_it():
    values = GOOGLE | {"type_vocab_size": 2}
    decided = read(values, gelu="erf")
    written, lost = write_config(decided.config, "google", decided)
    assert (read(written).gelu.activation, read(written).gelu.origin) == ("gelu_erf", "recorded")
    assert written.items() >= values.items()
    assert any("says gelu and not which" in phrase.en for phrase in lost)


def test_a_gelu_that_is_none_or_of_no_use_is_refused():
    (fault,) = refusal(GOOGLE, gelu="tahn")
    assert fault.code == "unknown-gelu" and "did you mean 'tanh'?" in str(fault)
    assert [fault.code for fault in refusal(GOOGLE | {"hidden_act": "relu"}, gelu="erf")] == ["gelu-not-used"]


@pytest.mark.parametrize(
    ("form", "change", "words"),
    [
        ("google", {"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-12, not 1e-05"),
        ("google", {"classifier_dropout": 0.3}, "no field for classifier_dropout: 0.3"),
        ("google", {"pad_token_id": 1}, "pad_token_id 0, not 1"),
        ("google", {"hidden_act": "gelu_erf"}, "7 February 2019"),
        ("google", {"hidden_act": "silu"}, "has no silu"),
        ("keras", {"hidden_act": "gelu_erf"}, "always computes gelu with tanh, not gelu_erf"),
        ("keras", {"attention_probs_dropout_prob": 0.0}, "one dropout"),
        ("keras", {"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-12, not 1e-05"),
        ("keras", {"initializer_range": 0.05}, "initializer_range 0.02, not 0.05"),
        ("keras", {"classifier_dropout": 0.3}, "classifier_dropout"),
        ("keras", {"pad_token_id": 1}, "pads with the id of [PAD]"),
        ("uer", {}, "does not say how large the vocabulary is"),
        ("uer", {"type_vocab_size": 3}, "type_vocab_size 2, not 3"),
        ("uer", {"attention_probs_dropout_prob": 0.0}, "one dropout"),
    ],
)
def test_what_a_form_cannot_hold_is_said(form, change, words):
    plain = DEFAULT.replace(hidden_act="gelu_tanh")
    new = set(told(plain.replace(**change), form)) - (set(told(plain, form)) if change else set())
    assert [phrase for phrase in new if words in phrase] and len(new) == (1 if change else 2)


@pytest.mark.parametrize(("form", "gelu"), [("google", "gelu_tanh"), ("keras", "gelu_tanh"), ("huggingface", "gelu_erf")])
def test_nothing_is_said_where_a_form_holds_everything(form, gelu):
    assert told(DEFAULT.replace(hidden_act=gelu), form) == []


def test_transformers_holds_every_field_by_itself():
    config = DEFAULT.replace(hidden_act="gelu_tanh", layer_norm_eps=1e-5, classifier_dropout=0.2, pad_token_id=3)
    values, lost = write_config(config, "huggingface")
    assert "bertsmith" not in values and lost == ()


def test_keys_that_the_new_form_has_no_place_for_are_named():
    found = read(GOOGLE | {"type_vocab_size": 2, "directionality": "bidi"})
    phrases = [phrase.en for phrase in write_config(found.config, "keras", found)[1]]
    assert any("no place for directionality: kept under the key 'bertsmith'" in phrase for phrase in phrases)


NAMES = sorted(
    {*DEFAULT.to_dict(), *UER, *KERAS, *KERAS["config"], "model_type", "architectures", "embedding", "mask", "bertsmith"}
)


@settings(deadline=None)
@given(
    values=st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from([KERAS["config"], 24, 3])),
    form=st.sampled_from(sorted(SAME)),
)
def test_no_json_object_ends_in_anything_but_a_config_or_our_error(values, form):
    for told in (values, SAME[form] | values):
        try:
            assert read(told, vocab_size=100).config.vocab_size == 100
        except ConfigError as error:
            assert str(error) and error.text("zh")


@pytest.mark.parametrize(
    "junk", [None, 3, [], {"fields": 3}, {"origin": {"form": "uer"}}, {"origin": {"form": 3, "extra": {}}}]
)
def test_what_another_program_wrote_under_our_key_does_no_harm(junk):
    found = read(HUGGINGFACE | {"bertsmith": junk})
    assert write_config(found.config, "huggingface", found)[0] == HUGGINGFACE | {"bertsmith": junk}
    changed = found.config.replace(num_hidden_layers=7)
    for form in FORMS:
        assert read(through_json(write_config(changed, form, found)[0])).config == changed
