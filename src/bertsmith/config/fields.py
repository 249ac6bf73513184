"""A field is documented once: default, meaning in both languages, bounds, unit and source stand in its metadata.

Checks, messages, command-line help and the reference pages are made from it. Used by `BertConfig` and by every job's settings.
"""

import dataclasses
import difflib
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase

T = TypeVar("T")
REQUIRED: Any = dataclasses.MISSING
NEAR = 0.5  # likeness of two words from which one may be a slip of the other; assumed
_SHOWN = 120  # characters of a value in a message, about a line; assumed


@dataclass(frozen=True)
class Doc:
    """What is known of a field beside its name, type and default."""

    meaning: Phrase
    low: float | None = None
    above: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    source: str = ""
    positional: bool = False
    cost: Phrase = Phrase("", "")
    change: Phrase = Phrase("", "")
    elsewhere: tuple[tuple[str, Phrase], ...] = ()

    def allows(self, value: float) -> bool:
        """Whether a number lies within the bounds."""
        over = (self.low is None or value >= self.low) and (self.above is None or value > self.above)
        return over and (self.high is None or value <= self.high)


def documented(
    default: Any,
    en: str,
    zh: str,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    unit: str = "",
    source: str = "",
    positional: bool = False,
    cost: tuple[str, str] = ("", ""),
    change: tuple[str, str] = ("", ""),
    elsewhere: tuple[tuple[str, Phrase], ...] = (),
) -> Any:
    """A dataclass field with its documentation.

    Args:
        default: the default, or `REQUIRED`.
        en: the meaning in English, a phrase without a final stop.
        zh: the same in Chinese.
        low: smallest allowed number.
        above: in place of `low`, a number that is itself too small.
        high: largest allowed number.
        choices: the allowed strings, where they are few.
        unit: what a number counts.
        source: where the default or the rule comes from.
        positional: on the command line this is an argument, not a flag.
        cost: what a larger or another value costs, in English and in Chinese.
        change: when to change it, in English and in Chinese.
        elsewhere: what others call a choice, with what stands behind the list of choices where someone gives that name.
    """
    told = (Phrase(*cost), Phrase(*change), elsewhere)
    doc = Doc(Phrase(en, zh), low, above, high, tuple(choices), unit, source, positional, *told)
    return dataclasses.field(default=default, metadata={"doc": doc}, kw_only=True)


def doc_of(field: "dataclasses.Field[Any]") -> Doc:
    """The documentation of a field made by `documented`."""
    found: Doc = field.metadata["doc"]
    return found


def types_of(cls: Any) -> Mapping[str, Any]:
    """The resolved types of a dataclass's fields."""
    return _types_of(cls)


@cache
def _types_of(cls: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def build(cls: type[T], values: Mapping[str, Any], *, where: object = None) -> T:
    """An instance of a documented dataclass from a mapping.

    Raises:
        ConfigError: unknown keys (with the nearest known one), missing, mistyped or out-of-bounds values; all at once.
    """
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    faults = [unknown_key(key, known, where) for key in values if key not in known]
    for name, field in known.items():
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING and name not in values:
            meaning = doc_of(field).meaning
            faults.append(
                ConfigError(
                    "missing-field", "{field} is missing", where=where, do="give it: {meaning}", field=name, meaning=meaning
                )
            )
    given = {key: value for key, value in values.items() if key in known}
    if faults:
        raise ConfigError.all_of(faults + value_faults(cls, given, where))
    try:
        return cls(**{name: _coerced(value, types_of(cls)[name]) for name, value in given.items()})
    except ConfigError as error:
        for fault in (error, *error.also):
            fault.where = fault.where or (None if where is None else str(where))
        raise


def unknown_key(key: str, known: Mapping[str, Any], where: object) -> ConfigError:
    """The error for a key that no field has, with the nearest known key."""
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=NEAR)
    if near:
        return ConfigError(
            "unknown-key", "there is no field {key!r}", where=where, do="did you mean {near!r}?", key=key, near=near[0]
        )
    return ConfigError(
        "unknown-field",
        "there is no field {key!r}",
        where=where,
        do="the fields are: {fields}",
        key=key,
        fields=", ".join(known),
    )


def nearest(word: str, known: Iterable[str], likeness: float = NEAR) -> Phrase:
    """What stands behind a list of the known words: the one that was probably meant, nothing where none is as like as that."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return Phrase(f"; did you mean {near[0]!r}?", f"；是否想用 {near[0]!r}？") if near else Phrase("", "")


def value_faults(cls: type, values: Mapping[str, Any], where: object = None) -> list[ConfigError]:
    """Every fault of the given values against types, bounds and choices of the fields of `cls`."""
    faults = []
    for field in dataclasses.fields(cls):
        if field.name in values:
            faults += _faults_of(field, values[field.name], types_of(cls)[field.name], where)
    return faults


def check(instance: Any, *further: ConfigError | None, where: object = None) -> None:
    """Check every field of a documented dataclass; `further` are faults of fields taken together, or None.

    Raises:
        ConfigError: with all faults at once.
    """
    values = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    faults = value_faults(type(instance), values, where) + [fault for fault in further if fault is not None]
    if faults:
        raise ConfigError.all_of(faults)


def _faults_of(field: "dataclasses.Field[Any]", value: Any, hint: Any, where: object) -> list[ConfigError]:
    doc = doc_of(field)
    named: dict[str, Any] = {"field": field.name, "value": shown(value)}
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    outside = number and not doc.allows(value)
    if not _fits(value, hint) and not (outside and isinstance(value, int)):  # a whole number past every float is a number still
        return [
            ConfigError(
                "wrong-type",
                "{field} is {value!r}",
                where=where,
                do="give {field} as {wanted}",
                wanted=type_name(hint),
                **named,
            )
        ]
    if doc.choices and value is not None and value not in doc.choices:
        return [
            ConfigError(
                "unknown-choice",
                "{field} is {value!r}",
                where=where,
                do="use one of {choices}{nearest}",
                choices=", ".join(doc.choices),
                nearest=dict(doc.elsewhere).get(value) or nearest(value, doc.choices),
                **named,
            )
        ]
    if outside:
        return [
            ConfigError(
                "out-of-bounds",
                "{field} is {value}",
                where=where,
                do="give a value {range}",
                range=_range(doc),
                **named,
            )
        ]
    return []


@dataclass(frozen=True, repr=False)
class _Cut:
    """A value that is too long for a message, as it is shown there."""

    text: str

    def __repr__(self) -> str:
        return self.text


def shown(value: object) -> object:
    """A value as a message shows it: itself, or the beginning of one that is too long for a line."""
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return _Cut(f"{Decimal(value):.2e}")  # an int of more than 4,300 digits has no text of its own
    text = repr(value)
    return value if len(text) <= _SHOWN else _Cut(text[:_SHOWN] + "…")


def _range(doc: Doc) -> Phrase:
    """The bounds, as they stand behind `a value`."""
    low, above, high = (bound if bound is None else _number(bound) for bound in (doc.low, doc.above, doc.high))
    if above is not None:
        most = Phrase("", "") if high is None else Phrase(f" and at most {high}", f"且不大于 {high} ")
        return Phrase(f"above {above}{most.en}", f"大于 {above} {most.zh}")
    if low is None or high is None:
        return (
            Phrase(f"of at most {high}", f"不大于 {high} ") if low is None else Phrase(f"of at least {low}", f"不小于 {low} ")
        )
    return Phrase(f"from {low} to {high}", f" {low} 到 {high} 之间")


def _number(bound: float) -> str:
    return f"{bound:g}" if abs(bound) < 1e6 else f"{bound:.0f}"


def _fits(value: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return any(_fits(value, option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return isinstance(value, (tuple, list)) and all(_fits(item, typing.get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Path:
        return isinstance(value, (str, Path)) and value != ""
    return isinstance(value, hint)


def _coerced(value: Any, hint: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if Path in options and value and isinstance(value, str) and str not in options:
        return Path(value)
    if any(typing.get_origin(option) is tuple for option in options) and isinstance(value, list):
        return tuple(value)
    return value


def type_name(hint: Any) -> Phrase:
    """A type as a reader knows it: `a whole number`, `a number`, `a text` …"""
    names = {
        int: Phrase("a whole number", "整数"),
        float: Phrase("a number", "数"),
        str: Phrase("a text", "文本"),
        bool: Phrase("true or false", "真或假"),
        Path: Phrase("a path", "路径"),
        type(None): Phrase("nothing", "空"),
    }
    if isinstance(hint, types.UnionType):
        options = [type_name(option) for option in typing.get_args(hint)]
        return Phrase(" or ".join(option.en for option in options), "或".join(option.zh for option in options))
    if typing.get_origin(hint) is tuple:
        item = type_name(typing.get_args(hint)[0])
        return Phrase("a list of " + item.en.removeprefix("a ") + "s", item.zh + "的列表")
    return names.get(hint, Phrase(str(hint), str(hint)))
