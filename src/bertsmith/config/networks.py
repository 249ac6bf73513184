"""Networks that are related to BERT and are not one: recognised by what their files say, and refused with the reason."""

from collections.abc import Callable, Mapping
from typing import Any

from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase

_RELATIVE = Phrase("attention looks at distances between tokens", "注意力使用词元之间的距离")
_DECODER = Phrase("a token sees only what stands before it", "每个词元只能看到它之前的内容")
_UNKNOWN = Phrase("the file says so", "文件如此声明")
_ALBERT = (
    "ALBERT",
    Phrase("its layers share weights and its word table is narrower than the network", "各层共享权重，词嵌入表比网络窄"),
)
_DISTILBERT = ("DistilBERT", Phrase("it has neither segments nor a pooler", "既没有句段嵌入，也没有池化层"))
_ELECTRA = ("ELECTRA", Phrase("it judges tokens one by one and has no pooler", "它逐个判断词元，且没有池化层"))
_MOBILEBERT = ("MobileBERT", Phrase("its layers have bottlenecks", "每层带有瓶颈结构"))
_NEZHA = ("NeZha", _RELATIVE)
_ERNIE = ("ERNIE", Phrase("it adds an embedding of the task", "它另加任务嵌入"))
_PRENORM = (
    "pre-norm BERT",
    Phrase("it normalises in front of each part, BERT behind it", "它在每个部分之前归一化，BERT 在其后"),
)
_ROBERTA_REASON = Phrase(
    "its positions begin behind the id of its padding and its vocabulary is no WordPiece",
    "位置从填充编号之后算起，词表也不是 WordPiece",
)

# model_type of transformers → name and reason
_BY_TYPE: dict[str, tuple[str, Phrase]] = {
    "albert": _ALBERT,
    "distilbert": _DISTILBERT,
    "roberta": ("RoBERTa", _ROBERTA_REASON),
    "xlm-roberta": ("XLM-R", _ROBERTA_REASON),
    "xlm-roberta-xl": ("XLM-R XL", _ROBERTA_REASON),
    "camembert": ("CamemBERT", _ROBERTA_REASON),
    "electra": _ELECTRA,
    "deberta": ("DeBERTa", _RELATIVE),
    "deberta-v2": ("DeBERTa v2", _RELATIVE),
    "mobilebert": _MOBILEBERT,
    "modernbert": ("ModernBERT", Phrase("it has rotary positions and gated layers", "它使用旋转位置与门控层")),
    "nezha": _NEZHA,
    "ernie": _ERNIE,
    "roformer": ("RoFormer", Phrase("it has rotary positions", "它使用旋转位置")),
    "nomic_bert": ("Nomic BERT", Phrase("it has rotary positions", "它使用旋转位置")),
    "mpnet": ("MPNet", _RELATIVE),
    "megatron-bert": ("Megatron BERT", _PRENORM[1]),
    "bert-generation": ("BERT for generation", _DECODER),
    "gpt2": ("GPT-2", _DECODER),
    "xlnet": ("XLNet", _RELATIVE),
    "t5": ("T5", _RELATIVE),
}
# class of keras-hub, by how it begins → name and reason
_BY_KERAS_CLASS = {
    "Roberta": _BY_TYPE["roberta"],
    "XLMRoberta": _BY_TYPE["xlm-roberta"],
    "Albert": _ALBERT,
    "DistilBert": _DISTILBERT,
    "DebertaV3": ("DeBERTa v3", _RELATIVE),
    "Electra": _ELECTRA,
    "FNet": ("FNet", Phrase("it has no attention", "它没有注意力")),
    "ModernBert": _BY_TYPE["modernbert"],
}


def _is(*wanted: object) -> Callable[[Any, Mapping[str, Any]], bool]:
    return lambda value, _: value not in wanted


# key, whether its value makes another network of the file, which one; the first that holds tells the name
_BY_KEY: tuple[tuple[str, Callable[[Any, Mapping[str, Any]], bool], tuple[str, Phrase]], ...] = (
    ("num_hidden_groups", _is(None), _ALBERT),
    ("true_hidden_size", _is(None), _MOBILEBERT),
    ("use_bottleneck", _is(False, None), _MOBILEBERT),
    ("embedding_size", lambda value, values: value != values.get("hidden_size"), _ALBERT),
    ("ln_type", _is("postln", None), _PRENORM),
    ("use_relative_position", _is(False, None), _NEZHA),
    ("position_embedding_type", _is("absolute", None), ("BERT with relative positions", _RELATIVE)),
    ("is_decoder", _is(False, None), ("decoder", _DECODER)),
    ("is_encoder_decoder", _is(False, None), ("encoder-decoder", Phrase("it has a decoder", "它带有解码器"))),
    (
        "add_cross_attention",
        _is(False, None),
        ("BERT with cross-attention", Phrase("its layers read a second sequence", "各层还读取另一个序列")),
    ),
    ("use_task_id", _is(False, None), _ERNIE),
    ("n_layers", lambda value, values: "dim" in values, _DISTILBERT),
)
# the same for the files of UER-py
_BY_UER_KEY: tuple[tuple[str, Callable[[Any, Mapping[str, Any]], bool], tuple[str, Phrase]], ...] = (
    ("encoder", _is("transformer", None), ("another encoder of UER-py", _UNKNOWN)),
    ("parameter_sharing", _is(False, None), _ALBERT),
    ("factorized_embedding_parameterization", _is(False, None), _ALBERT),
    ("emb_size", lambda value, values: value != values.get("hidden_size", value), _ALBERT),
    ("mask", _is("fully_visible", None), ("decoder", _DECODER)),
    ("decoder", _is(None), ("encoder-decoder", Phrase("it has a decoder", "它带有解码器"))),
    ("relative_position_embedding", _is(False, None), ("T5", _RELATIVE)),
    ("layernorm_positioning", _is("post", None), _PRENORM),
    ("layernorm", _is("normal", None), ("T5", Phrase("its layer norm has no bias", "其层归一化没有偏置"))),
    ("feed_forward", _is("dense", None), ("T5", Phrase("its feed-forward part has a gate", "其前馈部分带门控"))),
    ("remove_transformer_bias", _is(False, None), ("T5", Phrase("its layers have no biases", "各层没有偏置"))),
    (
        "embedding",
        lambda value, _: (
            value not in ("word_pos_seg", None)
            and sorted(map(str, value if isinstance(value, list) else [])) != ["pos", "seg", "word"]
        ),
        ("another embedding of UER-py", Phrase("BERT adds words, positions and segments", "BERT 把词、位置与句段相加")),
    ),
)


def other_network(values: Mapping[str, Any], form: str, where: object) -> list[ConfigError]:
    """Why a config is not of a BERT: a fault for each thing that says so, none for a BERT.

    Args:
        values: the JSON object.
        form: huggingface, google, keras or uer.
        where: the file, for the messages.
    """
    if form == "keras":
        name = str(values.get("class_name"))
        known = next((found for start, found in _BY_KERAS_CLASS.items() if name.startswith(start)), (name, _UNKNOWN))
        return [] if name.startswith("Bert") else [_refused("class_name", name, known, where)]
    faults = []
    kind = values.get("model_type")
    maker = str((values.get("architectures") or ["Bert"])[0]) if isinstance(values.get("architectures"), list) else "Bert"
    if kind not in ("bert", None):
        faults.append(_refused("model_type", kind, _BY_TYPE.get(str(kind), (str(kind), _UNKNOWN)), where))
    elif not maker.startswith("Bert") and kind is None:
        faults.append(_refused("architectures", maker, _by_class(maker), where))
    for key, differs, network in _BY_UER_KEY if form == "uer" else _BY_KEY:
        if key in values and differs(values[key], values) and not (faults and network[0] == faults[0].values["network"]):
            faults.append(_refused(key, values[key], network, where))
    return faults


def _by_class(maker: str) -> tuple[str, Phrase]:
    word = maker.lower()
    near = [kind for kind in _BY_TYPE if word.startswith(kind.replace("-", ""))]
    return _BY_TYPE[max(near, key=len)] if near else (maker, _UNKNOWN)


def _refused(key: str, value: object, network: tuple[str, Phrase], where: object) -> ConfigError:
    return ConfigError(
        "other-network",
        "{key} is {value!r}: this is {network}, not a BERT ({reason})",
        where=where,
        do="give a BERT of the original kind: an encoder with absolute positions, its own word table and a WordPiece vocabulary",
        key=key,
        value=value,
        network=network[0],
        reason=network[1],
    )
