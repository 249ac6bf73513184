"""The documentation of a field as one line for a reader: meaning, choices, bounds, default, source."""

import dataclasses
from pathlib import Path
from typing import Any

from bertsmith.config.fields import Doc, doc_of
from bertsmith.messages import Phrase
from bertsmith.messages.zh_cli import SOURCES, UNITS

_ONE_OF = Phrase("one of {choices}", "可选 {choices}")
_FROM_TO = Phrase("{low} to {high}", "{low} 至 {high}")
_ABOVE = Phrase("above {low}", "大于 {low}")
_ABOVE_TO = Phrase("above {low}, at most {high}", "大于 {low}，不大于 {high}")
_FROM = Phrase("at least {low}", "不小于 {low}")
_UP_TO = Phrase("at most {high}", "不大于 {high}")
_DEFAULT = Phrase("default {value}", "默认 {value}")
_REQUIRED = Phrase("required", "必填")
_IN_UNIT = Phrase("in {unit}", "单位：{unit}")
_SOURCE = Phrase("source: {source}", "来源：{source}")
_ON_OFF = {True: Phrase("on", "开"), False: Phrase("off", "关")}
_EMPTY = Phrase("empty", "空")
_UNBOUNDED = 2**31 - 2  # a bound this high says nothing to a reader


def details(field: "dataclasses.Field[Any]", hint: Any, language: str) -> str:
    """Everything that is known of a field: `longest sequence [in tokens; 8 to 512; default 128; source: …]`."""
    doc = doc_of(field)
    return doc.meaning.text(language) + in_brackets([*limits(field, hint, language), _source(doc, language)], language)


def limits(field: "dataclasses.Field[Any]", hint: Any, language: str) -> list[str]:
    """Choices, unit, bounds and default of a field, those that there are."""
    doc = doc_of(field)
    unit = _IN_UNIT.text(language).format(unit=unit_name(doc.unit, language)) if doc.unit else ""
    told = [_choices(doc, language), unit, _bounds(doc, language), _default(field, hint, language)]
    return [part for part in told if part]


def in_brackets(parts: list[str], language: str) -> str:
    """The parts that are not empty, in brackets behind a text; nothing where all are empty."""
    told = [part for part in parts if part]
    if not told:
        return ""
    return "［" + "；".join(told) + "］" if language == "zh" else " [" + "; ".join(told) + "]"


def unit_name(unit: str, language: str) -> str:
    """A unit in the reader's language; an unknown one stays as it is."""
    return UNITS.get(unit, unit) if language == "zh" else unit


def number_text(value: float) -> str:
    """A number as a person writes it: 0.0005, 5e-06, 30522."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_text(value: object, language: str) -> str:
    """The value of a field for a reader."""
    return _EMPTY.text(language) if value is None else number_text(value) if isinstance(value, (int, float)) else str(value)


def _choices(doc: Doc, language: str) -> str:
    return _ONE_OF.text(language).format(choices=", ".join(doc.choices)) if doc.choices else ""


def _bounds(doc: Doc, language: str) -> str:
    high = None if doc.high is not None and doc.high >= _UNBOUNDED else doc.high
    low = doc.low if doc.above is None else doc.above
    if low is None and high is None:
        return ""
    from_, from_to = (_FROM, _FROM_TO) if doc.above is None else (_ABOVE, _ABOVE_TO)
    phrase = _UP_TO if low is None else from_ if high is None else from_to
    return phrase.text(language).format(low=number_text(low or 0), high=number_text(high or 0))


def _source(doc: Doc, language: str) -> str:
    source = SOURCES.get(doc.source, doc.source) if language == "zh" else doc.source
    return _SOURCE.text(language).format(source=source) if source else ""


def _default(field: "dataclasses.Field[Any]", hint: Any, language: str) -> str:
    if field.default is dataclasses.MISSING:
        return _REQUIRED.text(language)
    if field.default is None or field.default == "":
        return ""  # the meaning says what an empty value does
    if hint is bool:
        return _DEFAULT.text(language).format(value=_ON_OFF[field.default].text(language))
    value = field.default if isinstance(field.default, (str, Path)) else number_text(field.default)
    return _DEFAULT.text(language).format(value=value)
