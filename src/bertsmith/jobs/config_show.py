"""`config show`: every field of a preset or of a config on the disk, with its value, meaning, unit and source; gelu and parameters."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.fields import doc_of
from bertsmith.config.forms import FORMS
from bertsmith.config.gelu import GIVEN, GeluFact, Origin
from bertsmith.config.originals import RECORD
from bertsmith.config.presets import PRESETS
from bertsmith.jobs.config_settings import ConfigShowSettings
from bertsmith.jobs.config_source import NamedConfig, named_config
from bertsmith.jobs.field_text import in_brackets, unit_name, value_text
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore

_HEAD = Phrase("The config of {model}:", "{model} 的配置：")
_NEXT = Phrase("Pretrain a network of this shape:", "预训练这种形状的网络：")
_FORM, _GELU = Phrase("form", "格式"), Phrase("gelu", "gelu")
_PARAMETERS = Phrase("parameters", "参数")
_PARAMETERS_OF = Phrase(
    "{encoder:,} in encoder and pooler, {pretraining:,} with both pretraining heads",
    "编码器与池化层 {encoder:,} 个，加两个预训练头共 {pretraining:,} 个",
)
_PUBLISHED, _HUB = Phrase("published", "出处"), Phrase("weights", "权重")
_EXTRAS = Phrase("further keys", "其他键")
_ORIGINS = {
    Origin.GIVEN: Phrase("given", "给定"),
    Origin.RECORDED: Phrase("recorded", "记录"),
    Origin.STATED: Phrase("stated", "写明"),
    Origin.RULE: Phrase("by rule", "按规则"),
    Origin.PRESET: Phrase("of the preset", "预设所定"),
}
_SURE = Phrase("as published", "发布时即如此")
_INFERRED = Phrase("inferred, not stated by the publishers", "推断所得，发布者没有写明")


@dataclass(frozen=True)
class ConfigShown:
    """A config, where it comes from, and how its gelu is known."""

    named: NamedConfig
    gelu: GeluFact
    language: str

    @property
    def numbers(self) -> dict[str, Any]:
        """Each field with its value, meaning, unit and source; form, gelu, parameters and further keys."""
        fields = {
            field.name: {
                "value": getattr(self.named.config, field.name),
                "meaning": doc_of(field).meaning.text(self.language),
                "unit": doc_of(field).unit,
                "source": doc_of(field).source,
            }
            for field in dataclasses.fields(self.named.config)
        }
        counts = parameters(self.named.config)
        return {
            "model": self.named.name,
            "form": "preset" if self.named.file is None else self.named.file.form,
            "gelu": {"activation": self.gelu.activation, "origin": self.gelu.origin, "why": self.gelu.why.text(self.language)},
            "parameters": {
                **dataclasses.asdict(counts),
                "encoder_and_pooler": counts.encoder,
                "with_pretraining_heads": counts.pretraining,
            },
            "further_keys": _further(self.named),
            "fields": fields,
        }

    def lines(self, language: str) -> list[str]:
        """A line per field, what is known beside the fields, then the command that uses the config."""
        values = {name: value_text(value, language) for name, value in self.named.config.to_dict().items()}
        rows = [(field.name, values[field.name], _meaning(field, language)) for field in dataclasses.fields(self.named.config)]
        return [
            _HEAD.text(language).format(model=self.named.name),
            *aligned(rows),
            "",
            *aligned(self._known(language)),
            "",
            _NEXT.text(language),
            f"  bertsmith pretrain STORE --model {self.named.name}",
        ]

    def _known(self, language: str) -> list[tuple[str, str]]:
        counts = parameters(self.named.config)
        mark = "：" if language == "zh" else ": "
        origin = _ORIGINS[self.gelu.origin].text(language)
        told = _PARAMETERS_OF.text(language).format(encoder=counts.encoder, pretraining=counts.pretraining)
        rows = [
            (_GELU.text(language), f"{self.gelu.activation}{mark}{origin}{mark}{self.gelu.why.text(language)}"),
            (_PARAMETERS.text(language), told),
        ]
        if self.named.file is None:
            published = PRESETS[self.named.name]
            rows.append((_PUBLISHED.text(language), published.source))
            return rows + ([(_HUB.text(language), published.hub)] if published.hub else [])
        rows.insert(0, (_FORM.text(language), f"{self.named.file.form} ({FORMS[self.named.file.form].title.text(language)})"))
        further = ", ".join(_further(self.named))
        return rows + ([(_EXTRAS.text(language), further)] if further else [])


def config_show(
    settings: ConfigShowSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> ConfigShown:
    """Read the config that `settings` names.

    Args:
        settings: the name of a preset, or the path of a config file or of a model folder.
        given: the fields that the caller gave; showing needs no record of them.
        listen: told by which rule the gelu of a file was found.
        language: of the meanings, `en` or `zh`.

    Raises:
        ConfigError: there is no such preset or file, or it is no config of a BERT.
    """
    named = named_config(settings.model, gelu=settings.gelu, vocab_size=settings.vocab_size, listen=listen)
    return ConfigShown(named, _gelu_of(named, settings.gelu), language)


def _gelu_of(named: NamedConfig, asked: str) -> GeluFact:
    if named.file is not None:
        return named.file.gelu
    activation = named.config.hidden_act
    if asked != "auto":
        return GeluFact(activation, Origin.GIVEN, GIVEN)
    return GeluFact(activation, Origin.PRESET, _INFERRED if PRESETS[named.name].inferred else _SURE)


def _further(named: NamedConfig) -> list[str]:
    """Keys of the file that are no fields of ours."""
    if named.file is None:
        return []
    form = FORMS[named.file.form]
    known = {*form.keys.values(), *form.constants, RECORD}
    return [key for key in form.section(named.file.values) if key not in known]


def _meaning(field: "dataclasses.Field[Any]", language: str) -> str:
    doc = doc_of(field)
    return doc.meaning.text(language) + in_brackets([unit_name(doc.unit, language), doc.source], language)
