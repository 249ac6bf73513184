"""`config show`: every field of a preset or of a config on the disk, with its value, meaning, unit and source."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import doc_of
from bertsmith.config.presets import names_a_path, preset
from bertsmith.jobs.field_text import in_brackets, number_text, unit_name
from bertsmith.jobs.settings import ConfigShowSettings
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore

_HEAD = Phrase("The config of {model}:", "{model} 的配置：")
_EMPTY = Phrase("empty", "空")
_NEXT = Phrase("Pretrain a network of this shape:", "预训练这种形状的网络：")


@dataclass(frozen=True)
class ConfigShown:
    """A config and where it comes from."""

    model: str
    config: BertConfig
    language: str

    @property
    def numbers(self) -> dict[str, Any]:
        """Each field with its value, meaning, unit and source."""
        fields = {
            field.name: {
                "value": getattr(self.config, field.name),
                "meaning": doc_of(field).meaning.text(self.language),
                "unit": doc_of(field).unit,
                "source": doc_of(field).source,
            }
            for field in dataclasses.fields(self.config)
        }
        return {"model": self.model, "fields": fields}

    def lines(self, language: str) -> list[str]:
        """A line per field, then the command that uses the config."""
        values = {name: _value(value, language) for name, value in self.config.to_dict().items()}
        wide_name = max(map(len, values))
        wide_value = max(map(len, values.values()))
        rows = [
            f"  {field.name:{wide_name}}  {values[field.name]:{wide_value}}  {_meaning(field, language)}"
            for field in dataclasses.fields(self.config)
        ]
        return [
            _HEAD.text(language).format(model=self.model),
            *rows,
            "",
            _NEXT.text(language),
            f"  bertsmith pretrain STORE --model {self.model}",
        ]


def config_show(
    settings: ConfigShowSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> ConfigShown:
    """Read the config that `settings` names.

    Args:
        settings: the name of a preset, or the path of a config.json or of a model folder.
        given: the fields that the caller gave; showing needs no record of them.
        listen: not called, the work is short.
        language: of the meanings, `en` or `zh`.

    Raises:
        ConfigError: there is no such preset.
        BertsmithError: the file cannot be read as a config.
    """
    return ConfigShown(settings.model, _read(settings.model), language)


def _read(model: str) -> BertConfig:
    if not names_a_path(model):
        return preset(model)
    from bertsmith.checkpoints.folder import read_config  # here, because a preset needs no reader of files

    return read_config(Path(model))


def _value(value: object, language: str) -> str:
    return _EMPTY.text(language) if value is None else number_text(value) if isinstance(value, (int, float)) else str(value)


def _meaning(field: "dataclasses.Field[Any]", language: str) -> str:
    doc = doc_of(field)
    return doc.meaning.text(language) + in_brackets([unit_name(doc.unit, language), doc.source], language)
