"""`config explain`: what a field of a config does, what it costs, when to change it and where it comes from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.fields import doc_of, type_name, types_of, unknown_key
from bertsmith.config.forms import FORMS
from bertsmith.jobs.config_settings import ConfigExplainSettings
from bertsmith.jobs.field_text import details, limits
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore

MEANING, TYPE, LIMITS = Phrase("meaning", "含义"), Phrase("type", "类型"), Phrase("limits", "取值")
COST, CHANGE, SOURCE = Phrase("cost", "代价"), Phrase("when to change it", "何时修改"), Phrase("source", "来源")
_ELSEWHERE = Phrase("called elsewhere", "其他名称")
_MORE = Phrase("One of them in full: bertsmith config explain FIELD", "查看单个字段的全部说明：bertsmith config explain 字段名")
_NOT_THERE = Phrase("none", "无")


@dataclass(frozen=True)
class Explained:
    """Some fields with everything that is known of them."""

    names: tuple[str, ...]
    language: str

    @property
    def numbers(self) -> dict[str, Any]:
        """Each field with all its texts."""
        return {
            field.name: {
                "meaning": doc_of(field).meaning.text(self.language),
                "type": type_name(types_of(BertConfig)[field.name]).text(self.language),
                "default": None if field.default is dataclasses.MISSING else field.default,
                "required": field.default is dataclasses.MISSING,
                **{name: getattr(doc_of(field), name) for name in ("low", "above", "high", "unit", "source")},
                "choices": list(doc_of(field).choices),
                "cost": doc_of(field).cost.text(self.language),
                "change": doc_of(field).change.text(self.language),
                "elsewhere": _elsewhere(field.name),
            }
            for field in _fields(self.names)
        }

    def lines(self, language: str) -> list[str]:
        """A table of all fields, or a block about one."""
        hints = types_of(BertConfig)
        if len(self.names) > 1:
            rows = [(field.name, details(field, hints[field.name], language)) for field in _fields(self.names)]
            return [*aligned(rows), "", _MORE.text(language)]
        (field,) = _fields(self.names)
        doc = doc_of(field)
        separator = "；" if language == "zh" else "; "
        rows = [
            (MEANING.text(language), doc.meaning.text(language)),
            (TYPE.text(language), type_name(hints[field.name]).text(language)),
            (LIMITS.text(language), separator.join(limits(field, hints[field.name], language)) or _NOT_THERE.text(language)),
            (COST.text(language), doc.cost.text(language)),
            (CHANGE.text(language), doc.change.text(language)),
            (SOURCE.text(language), doc.source),
            (_ELSEWHERE.text(language), _told_elsewhere(field.name, language)),
        ]
        return [field.name, *aligned(rows)]


def _fields(names: tuple[str, ...]) -> "list[dataclasses.Field[Any]]":
    return [field for field in dataclasses.fields(BertConfig) if field.name in names]


def _elsewhere(name: str) -> dict[str, str | None]:
    """What the other forms call a field; None where they have none."""
    return {form.name: form.keys.get(name) for form in FORMS.values()}


def _told_elsewhere(name: str, language: str) -> str:
    mark = "：" if language == "zh" else ": "
    told = [
        f"{FORMS[form].title.text(language)}{mark}{key or _NOT_THERE.text(language)}" for form, key in _elsewhere(name).items()
    ]
    return ("；" if language == "zh" else "; ").join(told)


def config_explain(
    settings: ConfigExplainSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Explained:
    """Explain one field, or all.

    Args:
        settings: the field, by our name or by that of another form; empty for all.
        given: the fields that the caller gave; explaining needs no record of them.
        listen: not called, the work is short.
        language: of the texts, `en` or `zh`.

    Raises:
        ConfigError: there is no such field; the nearest one is named.
    """
    names = tuple(BertConfig.__dataclass_fields__)
    if not settings.field:
        return Explained(names, language)
    wanted = settings.field.removeprefix("--").replace("-", "_")
    ours = [name for name in names if wanted in {name, *_elsewhere(name).values()}]
    if not ours:
        raise unknown_key(settings.field, dict.fromkeys(names), None)
    return Explained((ours[0],), language)
