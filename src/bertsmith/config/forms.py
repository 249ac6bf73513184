"""The four JSON forms of a BERT's config: what each calls our fields, what it takes where a key is absent, what it cannot say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config import gelu
from bertsmith.config.bert import ACTIVATIONS, TRANSFORMERS_ACTIVATIONS, BertConfig
from bertsmith.messages import Phrase

FIELDS = tuple(BertConfig.__dataclass_fields__)
AMBIGUOUS = ""  # an activation of which the file does not say the form


@dataclass(frozen=True)
class Form:
    """One JSON form.

    Args:
        name: huggingface, google, keras, uer.
        title: whose form it is.
        keys: our field → the form's key.
        defaults: our field → what the form's own code takes where the key is absent; a field that is neither here nor in
            `fixed` must be there.
        fixed: our field → what the form's own code always computes with; a key for it is read by nobody.
        read: the form's activation → ours, or `AMBIGUOUS`.
        written: our activation → the form's; one that is not here keeps its name.
        constants: further keys of a new file.
        other_keys: keys that look like a misspelled field and are none.
        inside: the key of the object that holds the fields; empty: they stand at the top.
    """

    name: str
    title: Phrase
    keys: Mapping[str, str]
    defaults: Mapping[str, Any]
    fixed: Mapping[str, Any]
    read: Mapping[str, str]
    written: Mapping[str, str]
    constants: Mapping[str, Any]
    other_keys: tuple[str, ...] = ()
    inside: str = ""

    def section(self, values: Mapping[str, Any]) -> Any:
        """The object that holds the fields; empty where there is none. A task of keras-hub holds its backbone inside."""
        if not self.inside:
            return values
        found = values.get(self.inside)
        backbone = found.get("backbone") if isinstance(found, dict) else None
        if isinstance(backbone, dict):
            found = backbone.get(self.inside)
        return found if isinstance(found, dict) else {}


_DEFAULTS = {
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "classifier_dropout": None,
}
_FIXED_NORM = {"layer_norm_eps": 1e-12, "pad_token_id": 0, "classifier_dropout": None}
_READ = {**{name: name for name in ACTIVATIONS}, **TRANSFORMERS_ACTIVATIONS}

HUGGINGFACE = Form(
    "huggingface",
    Phrase("transformers", "transformers"),
    keys={name: name for name in FIELDS},
    defaults={"hidden_act": "gelu", **_DEFAULTS},  # sizes have defaults there too, but a file without them is damaged
    fixed={},
    read=_READ,
    written={"gelu_erf": "gelu", "gelu_tanh": "gelu_pytorch_tanh"},
    # other readers of config.json have no defaults for these
    constants={"position_embedding_type": "absolute", "use_cache": True, "tie_word_embeddings": True, "dtype": "float32"},
    other_keys=(
        "pad_token",
        "num_labels",
        "_num_labels",
        "classifier_bias",
        "model_max_length",
        "max_seq_length",
        "hidden_dropout",
    ),
)
GOOGLE = Form(
    "google",
    Phrase("Google's BERT", "谷歌的 BERT"),
    keys={name: name for name in FIELDS if name not in _FIXED_NORM},
    # class BertConfig in google-research/bert, modeling.py
    defaults={
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": 512,
        "type_vocab_size": 16,
        "initializer_range": 0.02,
    },
    fixed=_FIXED_NORM,
    read={**_READ, "gelu": AMBIGUOUS},
    written={"gelu_erf": "gelu", "gelu_tanh": "gelu"},
    constants={},
    other_keys=HUGGINGFACE.other_keys,
)
KERAS = Form(
    "keras",
    Phrase("keras-hub", "keras-hub"),
    keys={
        "vocab_size": "vocabulary_size",
        "hidden_size": "hidden_dim",
        "num_hidden_layers": "num_layers",
        "num_attention_heads": "num_heads",
        "intermediate_size": "intermediate_dim",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "dropout",
        "max_position_embeddings": "max_sequence_length",
        "type_vocab_size": "num_segments",
    },
    defaults={
        name: _DEFAULTS[name]
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings", "type_vocab_size")
    },
    fixed={"hidden_act": "gelu_tanh", "initializer_range": 0.02, **_FIXED_NORM},
    read={},
    written={},
    # what keras-hub 0.32 writes for a backbone of fp32
    constants={
        "name": "bert_backbone",
        "trainable": True,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None},
    },
    inside="config",
)
KERAS_CLASS = {
    "module": "keras_hub.src.models.bert.bert_backbone",
    "class_name": "BertBackbone",
    "registered_name": "keras_hub>BertBackbone",
}
UER = Form(
    "uer",
    Phrase("UER-py", "UER-py"),
    keys={
        "hidden_size": "hidden_size",
        "num_hidden_layers": "layers_num",
        "num_attention_heads": "heads_num",
        "intermediate_size": "feedforward_size",
        "hidden_act": "hidden_act",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "dropout",
        "max_position_embeddings": "max_seq_length",
    },
    defaults={
        "hidden_act": "gelu",
        **{
            name: _DEFAULTS[name] for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings")
        },
    },
    # its table of segments has three rows, of which its own converters to transformers keep the last two; they also write
    # an epsilon of 1e-12, though its layer norm adds 1e-6 to the standard deviation
    fixed={"type_vocab_size": 2, "initializer_range": 0.02, **_FIXED_NORM},
    read={"gelu": "gelu_erf", "gelu_fast": "gelu_tanh", "relu": "relu", "silu": "silu", **{name: name for name in ACTIVATIONS}},
    written={"gelu_erf": "gelu", "gelu_tanh": "gelu_fast"},
    constants={
        "data_processor": "bert",
        "embedding": ["word", "pos", "seg"],
        "encoder": "transformer",
        "mask": "fully_visible",
        "target": ["mlm", "sp"],
        "tie_weights": True,
    },
)
FORMS: dict[str, Form] = {form.name: form for form in (HUGGINGFACE, GOOGLE, KERAS, UER)}
_OF_UER = (
    Phrase(
        "UER-py's form does not say how large the vocabulary is: its code counts the vocabulary file",
        "UER-py 的格式不写词表大小：其代码以词表文件为准",
    ),
    Phrase(
        "UER-py's layer norm divides by the standard deviation plus 1e-6: its outputs differ slightly",
        "UER-py 的层归一化除以标准差加 1e-6：其输出会略有不同",
    ),
)
# what only one form says, in the order in which they are tried
_MARKS = {
    "keras": ("class_name", "registered_name", "vocabulary_size"),
    "uer": ("emb_size", "layers_num", "heads_num", "feedforward_size"),
    "huggingface": (
        *("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "layer_norm_eps", "pad_token_id"),
        *("position_embedding_type", "classifier_dropout", "id2label", "use_cache", "_name_or_path", "problem_type"),
    ),
}
# how gelu is known where a form's own code settles it
SETTLED = {"huggingface": gelu.IN_TRANSFORMERS, "google": gelu.STATED, "keras": gelu.IN_KERAS, "uer": gelu.IN_UER}


def form_of(values: Mapping[str, Any]) -> str:
    """Which form a JSON object has: huggingface, google, keras or uer. One that no key tells is Google's where it names a
    size of a BERT, and transformers' otherwise.
    """
    for name, marks in _MARKS.items():
        if any(mark in values for mark in marks):
            return name
    return "google" if any(key in values for key in GOOGLE.keys.values()) else "huggingface"


def canonical(config: BertConfig, form: Form) -> dict[str, Any]:
    """A new JSON object of a form."""
    values = config.to_dict()
    values["hidden_act"] = form.written.get(config.hidden_act, config.hidden_act)
    # the later of two fields with one key gives way: keras-hub and UER-py have one dropout, the hidden one
    section: dict[str, Any] = {}
    for name, key in form.keys.items():
        section.setdefault(key, values[name])
    if form is KERAS:
        return {
            "module": KERAS_CLASS["module"],
            "class_name": KERAS_CLASS["class_name"],
            "config": {**form.constants, **section},
            "registered_name": KERAS_CLASS["registered_name"],
        }
    if form is UER:
        return {"emb_size": config.hidden_size, **section, **form.constants}
    return {**({"model_type": "bert"} if form is HUGGINGFACE else {}), **section, **form.constants}


def not_held(config: BertConfig, form: Form) -> tuple[Phrase, ...]:
    """What the form's own code would not honour of a config, a sentence each, without a final stop."""
    told = [_lost(name, getattr(config, name), value, form) for name, value in form.fixed.items() if name != "hidden_act"]
    one_dropout = form.keys.get("attention_probs_dropout_prob") == form.keys.get("hidden_dropout_prob")
    if one_dropout and config.attention_probs_dropout_prob != config.hidden_dropout_prob:
        told.append(
            Phrase(
                f"{form.title.en} has one dropout: it takes hidden_dropout_prob {config.hidden_dropout_prob:g} for attention too, "
                f"not {config.attention_probs_dropout_prob:g}",
                f"{form.title.zh} 只有一个丢弃率：注意力也用 hidden_dropout_prob 的 {config.hidden_dropout_prob:g}，"
                f"而非 {config.attention_probs_dropout_prob:g}",
            )
        )
    told += [_lost_activation(config.hidden_act, form), *(_OF_UER if form is UER else ())]
    return tuple(phrase for phrase in told if phrase)


def _lost(name: str, value: Any, fixed: Any, form: Form) -> Phrase | None:
    if value == fixed or (form is UER and name == "layer_norm_eps"):
        return None
    if form is KERAS and name == "pad_token_id":
        return Phrase(
            f"keras-hub has no field for pad_token_id {value}: it pads with the id of [PAD] in its vocabulary",
            f"keras-hub 没有 pad_token_id（{value}）字段：它用其词表中 [PAD] 的编号填充",
        )
    if fixed is None:
        return Phrase(
            f"{form.title.en} has no field for {name}: {value!r} is not honoured",
            f"{form.title.zh} 没有 {name} 字段：{value!r} 不起作用",
        )
    return Phrase(
        f"{form.title.en} always computes with {name} {fixed!r}, not {value!r}",
        f"{form.title.zh} 总是用 {name} = {fixed!r} 计算，而非 {value!r}",
    )


def _lost_activation(activation: str, form: Form) -> Phrase | None:
    if form is GOOGLE and activation == "gelu_erf":
        return Phrase(
            "Google's form says gelu and not which: its code computes the erf form of this config until 7 February 2019 and "
            "the tanh form since",
            "谷歌的格式只写 gelu、不写哪一种：其代码在 2019 年 2 月 7 日之前按本配置的 erf 形式计算，之后按 tanh 形式计算",
        )
    if form is GOOGLE and activation == "silu":
        return Phrase("Google's code has no silu and refuses this config", "谷歌的代码没有 silu，会拒绝本配置")
    if form is KERAS and activation != "gelu_tanh":
        return Phrase(
            f"keras-hub always computes gelu with tanh, not {activation}",
            f"keras-hub 总是用 tanh 形式的 gelu 计算，而非 {activation}",
        )
    return None
