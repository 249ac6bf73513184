"""The config.json of transformers: read into a `BertConfig`, and written so that transformers opens the folder."""

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.names import Part
from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import value_faults
from bertsmith.errors import ConfigError
from bertsmith.progress import Listener, ignore, warning

# The name in transformers' table of activations → ours. `gelu` is the erf form there, whoever trained the weights.
_ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "swish": "silu",
}
_WRITTEN = {"gelu_erf": "gelu", "gelu_tanh": "gelu_pytorch_tanh"}
_FIELDS = tuple(BertConfig.__dataclass_fields__)
# transformers has defaults for these, but a folder whose sizes are not written down is damaged
_SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
# what changes the network, and the values under which it is the BERT that we build
_ALLOWED: dict[str, tuple[Any, ...]] = {
    "model_type": ("bert", None),
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
}
_IGNORED = ("pad_token", "num_labels", "_num_labels", "classifier_bias", "model_max_length", "max_seq_length", "hidden_dropout")
_NEAR = 0.8  # likeness from which a foreign key is taken for a misspelling of an absent field (assumed)


def read_config(path: Path, *, listen: Listener = ignore) -> BertConfig:
    """The config of a model folder, or of a config.json.

    Keys of transformers that do not change the network are passed over; a misspelled field is told.

    Args:
        path: config.json, or the folder that holds it.
        listen: is told where the file does not say which gelu it means.

    Raises:
        ConfigError: the file is absent or no JSON, describes another network, or fields are missing or wrong; all at once.
    """
    file = path / "config.json" if path.is_dir() else path
    values = read_values(file)
    if values.get("hidden_act") == "gelu" and not {"model_type", "architectures", "transformers_version"} & values.keys():
        listen(
            warning(
                "gelu-assumed",
                "{file} says gelu and not which form; read as erf, as transformers does (gelu_pytorch_tanh says the other)",
                file=str(file),
            )
        )
    return config_from(values, where=file)


def read_values(file: Path) -> dict[str, Any]:
    """The JSON object in a config file.

    Raises:
        ConfigError: there is no such file, or it is not a JSON object.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            "no-config",
            "there is no readable config.json",
            where=file,
            do="give the folder that holds config.json and model.safetensors",
        ) from error
    except ValueError as error:
        raise _not_json(file, str(error)) from error
    if not isinstance(values, dict):
        raise _not_json(file, f"it is a {type(values).__name__}")
    return values


def _not_json(file: Path, reason: str) -> ConfigError:
    return ConfigError(
        "config-not-json",
        "this is not a JSON object: {reason}",
        where=file,
        do="take config.json from where the model comes from",
        reason=reason,
    )


def config_from(values: Mapping[str, Any], *, where: object) -> BertConfig:
    """A `BertConfig` from the content of transformers' config.json.

    Raises:
        ConfigError: all faults at once.
    """
    refused = _refused(values, where)
    if refused:  # the fields of another network would only be told as faults of ours
        raise ConfigError.all_of(refused)
    ours = {name: values[name] for name in _FIELDS if name in values}
    if ours.get("pad_token_id", 0) is None:
        del ours["pad_token_id"]
    act = ours.get("hidden_act")
    if isinstance(act, str):
        ours["hidden_act"] = _ACTIVATIONS.get(act, act)
    faults = [*_missing_sizes(values, where), *_misspelled(values, where)]
    if faults:
        raise ConfigError.all_of(faults + value_faults(BertConfig, ours, where))
    return BertConfig.from_dict(ours, where=where)


def _refused(values: Mapping[str, Any], where: object) -> list[ConfigError]:
    refused = {key: values[key] for key, allowed in _ALLOWED.items() if values.get(key) not in allowed}
    maker = str((values.get("architectures") or ["Bert"])[0])
    if not values.get("model_type") and not maker.startswith("Bert"):
        refused["architectures"] = maker
    if values.get("embedding_size", values.get("hidden_size")) != values.get("hidden_size"):
        refused["embedding_size"] = values["embedding_size"]  # ALBERT's factorised table; its files name no model_type
    return [
        ConfigError(
            "other-network",
            "{key} is {value!r}: this is not a BERT as bertsmith builds it",
            where=where,
            do="give a BERT of the original kind: an encoder with absolute positions",
            key=key,
            value=value,
        )
        for key, value in refused.items()
    ]


def _missing_sizes(values: Mapping[str, Any], where: object) -> list[ConfigError]:
    return [
        ConfigError(
            "config-without-size",
            "{field} is missing",
            where=where,
            do="take the whole config.json from where the model comes from",
            field=name,
        )
        for name in _SIZES
        if name not in values
    ]


def _misspelled(values: Mapping[str, Any], where: object) -> list[ConfigError]:
    faults = []
    for key in values.keys() - {*_FIELDS, *_IGNORED}:
        near = difflib.get_close_matches(key, [name for name in _FIELDS if name not in values], n=1, cutoff=_NEAR)
        if near:
            faults.append(
                ConfigError(
                    "misspelled-field",
                    "there is no field {key!r}, and {near!r} is absent",
                    where=where,
                    do="rename {key!r} to {near!r}, or remove it",
                    key=key,
                    near=near[0],
                )
            )
    return sorted(faults, key=lambda fault: str(fault.values["key"]))


def labels_of(values: Mapping[str, Any], classes: int) -> list[str]:
    """The names of the classes in transformers' config.json; where it has none, LABEL_0, LABEL_1 … as transformers says."""
    names = values.get("id2label")
    if isinstance(names, dict) and set(names) == {str(number) for number in range(classes)}:
        return [str(names[str(number)]) for number in range(classes)]
    return [f"LABEL_{number}" for number in range(classes)]


def architecture(parts: frozenset[Part]) -> str:
    """The class of transformers that holds the heads of a model."""
    if Part.CLASSIFIER in parts:
        return "BertForSequenceClassification"
    if {Part.MLM, Part.NSP} <= parts:
        return "BertForPreTraining"
    if Part.MLM in parts:
        return "BertForMaskedLM"
    return "BertForNextSentencePrediction" if Part.NSP in parts else "BertModel"


def values_of(config: BertConfig, parts: frozenset[Part], labels: Sequence[str]) -> dict[str, Any]:
    """The content of config.json for transformers.

    Args:
        config: the sizes.
        parts: the parts that the weights hold; they decide `architectures`.
        labels: the names of the classes, empty without a classification head.
    """
    values: dict[str, Any] = {"architectures": [architecture(parts)], "model_type": "bert"}
    values |= config.to_dict() | {"hidden_act": _WRITTEN.get(config.hidden_act, config.hidden_act)}
    # other readers of config.json have no defaults for the last three
    values |= {"position_embedding_type": "absolute", "use_cache": True, "tie_word_embeddings": True, "dtype": "float32"}
    if Part.CLASSIFIER in parts:
        values |= {
            "problem_type": "single_label_classification",
            "id2label": {str(number): name for number, name in enumerate(labels)},
            "label2id": {name: number for number, name in enumerate(labels)},
        }
    return values
