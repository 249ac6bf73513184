"""A config is documented once and checked as a whole."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import REQUIRED, build, check, doc_of, documented, type_name, types_of
from bertsmith.config.presets import PRESETS, preset
from bertsmith.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Trip:
    """Settings of every type."""

    days: int = documented(REQUIRED, "how long", "天数", low=1, high=30, unit="days")
    share: float = documented(0.5, "share", "比例", low=0.0, high=1.0)
    speed: float = documented(5.0, "speed", "速度", above=0.0, high=300.0)
    bags: int = documented(1, "bags", "行李", low=1)
    debts: int = documented(0, "debts", "债", high=0)
    how: str = documented("train", "by what", "方式", choices=("train", "boat"))
    map: Path | None = documented(None, "map", "地图")
    stops: tuple[str, ...] = documented((), "stops", "站点")

    def __post_init__(self) -> None:
        check(self)


def faults(make):
    with pytest.raises(ConfigError) as caught:
        make()
    return [caught.value, *caught.value.also]


def codes(make):
    return [fault.code for fault in faults(make)]


def test_values_become_settings_with_their_types():
    trip = build(Trip, {"days": 3, "map": "a/b", "stops": ["x", "y"], "share": 1})
    assert trip == Trip(days=3, map=Path("a/b"), stops=("x", "y"), share=1)


def test_all_faults_are_told_at_once_with_the_file():
    values = {"share": 1.5, "how": "trian", "map": 3, "stops": [1], "dais": 2, "zzz": 0}
    told = faults(lambda: build(Trip, values, where="trip.toml"))
    assert {fault.code for fault in told} == {
        "unknown-key",
        "unknown-field",
        "missing-field",
        "out-of-bounds",
        "unknown-choice",
        "wrong-type",
    }
    assert len(told) == 7
    assert {fault.where for fault in told} == {"trip.toml"}


def test_an_unknown_key_names_the_nearest_known_one():
    assert "did you mean 'share'?" in str(faults(lambda: build(Trip, {"days": 1, "shrae": 1}))[0])


def test_an_unknown_choice_names_the_choices_and_the_nearest():
    text = str(faults(lambda: Trip(days=1, how="trian"))[0])
    assert "train, boat; did you mean 'train'?" in text


def test_an_unknown_choice_that_is_near_none_gets_the_choices_alone():
    (fault,) = faults(lambda: Trip(days=1, how="xyz"))
    assert str(fault).endswith("use one of train, boat")
    assert fault.text("zh").endswith("train, boat")


@pytest.mark.parametrize("value", [True, 1.0, "3", None])
def test_what_only_looks_like_a_whole_number_is_refused(value):
    assert codes(lambda: Trip(days=value)) == ["wrong-type"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", False])
def test_what_is_no_finite_number_is_refused(value):
    assert codes(lambda: Trip(days=1, share=value)) == ["wrong-type"]


@pytest.mark.parametrize("value", [0, 31])
def test_bounds_are_told_with_the_value(value):
    text = str(faults(lambda: Trip(days=value))[0])
    assert f"days is {value}" in text
    assert "from 1 to 30" in text


@pytest.mark.parametrize(
    ("values", "en", "zh"),
    [
        ({"bags": 0}, "give a value of at least 1", "请给出不小于 1 的值"),
        ({"debts": 1}, "give a value of at most 0", "请给出不大于 0 的值"),
        ({"share": 2.0}, "give a value from 0 to 1", "请给出 0 到 1 之间的值"),
        ({"speed": 0}, "give a value above 0 and at most 300", "请给出大于 0 且不大于 300 的值"),
    ],
)
def test_only_bounds_that_there_are_are_told(values, en, zh):
    (fault,) = faults(lambda: Trip(days=1, **values))
    assert str(fault).endswith(f"→ {en}")
    assert fault.text("zh").endswith(f"→ {zh}")


def test_what_is_missing_is_told_by_its_meaning():
    (fault,) = faults(lambda: build(Trip, {}))
    assert str(fault) == "days is missing [missing-field]\n  → give it: how long"
    assert fault.text("zh") == "缺少 days [missing-field]\n  → 请给出：天数"


def test_first_weights_without_a_spread_are_refused():
    (fault,) = faults(lambda: preset("tiny").replace(initializer_range=0))
    assert "initializer_range is 0" in str(fault)
    assert "above 0" in str(fault)


def test_a_wrong_type_is_told_in_words():
    assert "give days as a whole number" in str(faults(lambda: Trip(days="3"))[0])
    assert type_name(types_of(Trip)["map"]).en == "a path or nothing"
    assert type_name(types_of(Trip)["stops"]).en == "a list of texts"


def test_the_defaults_are_those_of_base():
    assert BertConfig(vocab_size=30522) == preset("base")


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset("tiny").hidden_size = 3


def test_a_config_survives_a_mapping_and_a_change():
    config = preset("mini", vocab_size=99).replace(hidden_act="gelu_tanh", classifier_dropout=0.2)
    assert BertConfig(**config.to_dict()) == config
    assert config.vocab_size == 99


def test_a_change_is_checked():
    assert codes(lambda: preset("tiny").replace(hidden_size=-1)) == ["out-of-bounds"]


def test_heads_must_divide_the_width_and_the_message_says_which_widths_would_do():
    (fault,) = faults(lambda: BertConfig(vocab_size=100, hidden_size=770, num_attention_heads=12))
    assert fault.code == "head-width"
    for width in (fault.values["below"], fault.values["above"]):
        assert BertConfig(vocab_size=100, hidden_size=width, num_attention_heads=12).head_width * 12 == width


def test_faults_of_fields_and_of_fields_together_are_told_at_once():
    assert codes(lambda: BertConfig(vocab_size=9, hidden_size=13, pad_token_id=9, hidden_act="gleu")) == [
        "unknown-choice",
        "head-width",
        "padding-outside",
    ]


def test_faults_of_fields_together_are_told_with_the_file():
    values = {"vocab_size": 9, "hidden_size": 13, "pad_token_id": 9}
    assert {fault.where for fault in faults(lambda: build(BertConfig, values, where="c.json"))} == {"c.json"}


def test_a_wrong_type_does_not_hide_the_other_faults():
    assert codes(lambda: BertConfig(vocab_size="9", num_attention_heads=0)) == ["wrong-type", "out-of-bounds"]


def test_every_field_is_documented_in_both_languages_within_its_own_bounds():
    for field in dataclasses.fields(BertConfig):
        doc = doc_of(field)
        assert doc.meaning.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in doc.meaning.zh)
        assert not doc.meaning.en.endswith(".")
        if field.default is not REQUIRED and isinstance(field.default, (int, float)):
            assert doc.low is None or doc.low <= field.default
            assert doc.high is None or field.default <= doc.high


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_heads_of_64_and_four_times_the_width_inside(name):
    config = preset(name)
    assert config.head_width == 64 or name == "nvidia-4l-288d"
    assert config.intermediate_size == 4 * config.hidden_size


def test_an_unknown_preset_names_the_nearest():
    assert "did you mean 'small'?" in str(faults(lambda: preset("smal"))[0])


def test_a_name_that_is_near_no_preset_is_told_what_a_model_can_be():
    text = str(faults(lambda: preset("finetuned"))[0])
    assert "there is no preset, file or folder 'finetuned'" in text
    assert "give a preset (tiny, mini, small, medium, base, large, …: `bertsmith config presets` lists all)" in text
    assert text.endswith("a config.json, or a model folder")


@pytest.mark.parametrize("path", ["models/tiny", "tiny.json", "../tiny"])
def test_a_path_that_is_not_there_is_told_as_a_path(path):
    (fault,) = faults(lambda: preset(path))
    assert (fault.code, fault.where) == ("no-such-model", path)
    assert "a model is a preset (tiny, " in str(fault)
