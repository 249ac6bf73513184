"""The presets have the published sizes, and the exact counts of parameters."""

import json

import pytest
from published import BERTS, FOLDER, NEEDED

from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.formats import config_from_values, read_config_file, write_config
from bertsmith.config.presets import PRESETS, preset

# encoder and pooler of Google's 24 sizes; MLM and NSP heads by width (measured on transformers' own models)
SMALL = {
    (2, 128): 4_385_920,
    (2, 256): 9_591_040,
    (2, 512): 22_458_880,
    (2, 768): 38_603_520,
    (4, 128): 4_782_464,
    (4, 256): 11_170_560,
    (4, 512): 28_763_648,
    (4, 768): 52_779_264,
    (6, 128): 5_179_008,
    (6, 256): 12_750_080,
    (6, 512): 35_068_416,
    (6, 768): 66_955_008,
    (8, 128): 5_575_552,
    (8, 256): 14_329_600,
    (8, 512): 41_373_184,
    (8, 768): 81_130_752,
    (10, 128): 5_972_096,
    (10, 256): 15_909_120,
    (10, 512): 47_677_952,
    (10, 768): 95_306_496,
    (12, 128): 6_368_640,
    (12, 256): 17_488_640,
    (12, 512): 53_982_720,
    (12, 768): 109_482_240,
}
HEADS = {128: 47_548, 256: 97_340, 512: 295_228, 768: 624_188}
OTHERS = {
    "base": (109_482_240, 110_106_428),
    "base-cased": (108_310_272, 108_932_934),
    "large": (335_141_888, 336_226_108),
    "large-wwm": (335_141_888, 336_226_108),
    "large-cased": (333_579_264, 334_661_958),
    "large-cased-wwm": (333_579_264, 334_661_958),
    "chinese": (102_267_648, 102_882_442),
    "chinese-wwm": (102_267_648, 102_882_442),
    "chinese-wwm-ext": (102_267_648, 102_882_442),
    "chinese-roberta-wwm-ext-large": (325_522_432, 326_597_258),
    "rbt3": (38_476_800, 39_091_594),
    "rbtl3": (61_001_728, 62_076_554),
    "multilingual-cased": (177_853_440, 178_566_653),
    "multilingual-uncased": (167_356_416, 168_055_961),
}
OF_FILES = {
    "base-cased": "bert_base_cased.hf.json",
    "chinese": "bert_base_chinese.google.json",
    "multilingual-uncased": "bert_base_multilingual_uncased_sentiment.hf.json",
    "base": "bert_base_uncased.google.json",
    "large": "bert_large_uncased.google.json",
    "tiny": "bert_tiny.hf.json",
    "biobert": "biobert_v1_1.hf.json",
    "chinese-roberta-wwm-ext": "chinese_roberta_wwm_ext.google.json",
    "chinese-roberta-wwm-ext-large": "chinese_roberta_wwm_large_ext.hf.json",
    "kpfbert": "kpfbert.hf.json",
    "sebert-large": "sebert_large.google.json",
    **{f"uer-{size}": f"uer_bert_{size}.json" for size in ("tiny", "mini", "small", "medium", "base", "large", "xlarge")},
}


@pytest.mark.parametrize(("layers", "width"), SMALL)
def test_googles_24_small_sizes_have_their_counts(layers, width):
    counts = parameters(preset(f"L-{layers}_H-{width}_A-{width // 64}"))
    assert (counts.encoder, counts.pretraining) == (SMALL[layers, width], SMALL[layers, width] + HEADS[width])


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_presets_have_their_counts(name):
    counts = parameters(preset(name))
    assert (counts.encoder, counts.pretraining) == OTHERS[name]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_as_many_parameters_as_transformers_model(name):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    values, _ = write_config(preset(name), "huggingface")
    with torch.device("meta"):
        model = transformers.BertForPreTraining(transformers.BertConfig(**values))
    assert parameters(preset(name)).pretraining == sum(array.numel() for array in model.parameters())
    assert parameters(preset(name)).encoder == sum(array.numel() for array in model.bert.parameters())


@NEEDED
@pytest.mark.parametrize("name", OF_FILES)
def test_a_preset_is_what_its_publishers_wrote(name):
    file = OF_FILES[name]
    assert preset(name) == read_config_file(FOLDER / file, vocab_size=BERTS[file][3]).config


@pytest.mark.parametrize("name", [name for name, known in PRESETS.items() if known.hub.startswith("google")])
def test_googles_presets_have_the_gelu_that_the_rule_finds_in_their_files(name):
    plain = {key: value for key, value in write_config(preset(name), "google")[0].items() if key != "bertsmith"}
    assert config_from_values(plain, where=name).config == preset(name)


def test_names_of_presets_can_be_typed_and_their_hub_names_are_complete():
    for name, known in PRESETS.items():
        assert json.dumps(name).isascii() and " " not in name
        assert known.hub == "" or known.hub.count("/") == 1
        assert known.activation in ("gelu_erf", "gelu_tanh") and known.source


def test_another_vocabulary_can_be_given():
    assert preset("chinese").vocab_size == 21128
    assert preset("chinese", vocab_size=1000).vocab_size == 1000
