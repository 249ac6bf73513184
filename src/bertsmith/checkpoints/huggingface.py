"""The config.json of a model folder: read into a `BertConfig`, and written so that transformers opens the folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.names import Part
from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import ConfigFile, read_config_file, read_values, write_config
from bertsmith.progress import Listener, ignore

__all__ = ["architecture", "judges_parts", "labels_of", "read_config", "read_values", "values_of"]

# heads of transformers that are called `classifier` too, and judge tokens or choices instead of whole texts
_OTHER_CLASSIFIERS = ("BertForTokenClassification", "BertForMultipleChoice")


def read_config(path: Path, *, listen: Listener = ignore) -> BertConfig:
    """The config of a model folder, or of a config file of any form.

    Keys that do not change the network are passed over; a misspelled field is told.

    Args:
        path: the file, or the folder that holds config.json or bert_config.json.
        listen: is told by which rule the gelu was found where the file does not say it.

    Raises:
        ConfigError: the file is absent or no JSON, describes another network, or fields are missing or wrong; all at once.
    """
    return read_config_file(path, listen=listen).config


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
    if Part.QA in parts:
        return "BertForQuestionAnswering"
    return "BertForNextSentencePrediction" if Part.NSP in parts else "BertModel"


def judges_parts(values: Mapping[str, Any]) -> bool:
    """Whether the `classifier` of a model judges tokens or choices instead of whole texts, as its config.json says."""
    names = values.get("architectures")
    return isinstance(names, list) and any(name in _OTHER_CLASSIFIERS for name in names)


def values_of(
    config: BertConfig, parts: frozenset[Part], labels: Sequence[str], source: ConfigFile | None = None
) -> dict[str, Any]:
    """The content of config.json for transformers.

    Args:
        config: the sizes.
        parts: the parts that the weights hold; they decide `architectures`.
        labels: the names of the classes, empty without a classification head.
        source: the file that the config was read from; what else it says stays.
    """
    values = {"architectures": [], **write_config(config, "huggingface", source)[0]}
    kept = Part.CLASSIFIER in parts and judges_parts(values)
    values["architectures"] = values["architectures"] if kept else [architecture(parts)]
    values |= {key: "float32" for key in ("dtype", "torch_dtype") if key in values}  # what the weights are written in
    if Part.CLASSIFIER in parts:
        values |= {} if kept else {"problem_type": values.get("problem_type") or "single_label_classification"}
        values |= {
            "id2label": {str(number): name for number, name in enumerate(labels)},
            "label2id": {name: number for number, name in enumerate(labels)},
        }
    return values
