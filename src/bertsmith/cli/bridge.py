"""From a settings class to flags and back: the one place where fields meet cyclopts."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from bertsmith.config.fields import build, doc_of, types_of
from bertsmith.errors import BertsmithError, ConfigError
from bertsmith.jobs.field_text import details
from bertsmith.jobs.verbs import Verb
from bertsmith.messages import Phrase, flag_of

ARGUMENTS = Phrase("Arguments", "参数")
FLAGS = Phrase("Flags", "选项")
METAVARS: dict[Any, str] = {int: "N", float: "X", str: "TEXT", Path: "PATH"}


def as_command(verb: Verb, language: str) -> Callable[..., None]:
    """The function that cyclopts reads the flags of a verb from; it is bound, never called.

    Every parameter may be left out, so that what was really given can be told from what was not, and so that missing
    values are told together with wrong ones when the settings are built.
    """

    def command() -> None:
        """Carry the signature."""

    hints = types_of(verb.settings)
    parameters = [_parameter(field, hints[field.name], language) for field in verb.fields()]
    command.__name__ = verb.name
    command.__doc__ = verb.summary.text(language)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def settings_from(verb: Verb, given: Mapping[str, object]) -> Any:
    """The settings of a verb from the flags that were given.

    Raises:
        ConfigError: missing, mistyped or out-of-bounds values, all at once, each under its flag.
    """
    try:
        return build(verb.settings, given)
    except ConfigError as error:
        _name_flags(error, verb.positional())
        raise


def _parameter(field: "dataclasses.Field[Any]", hint: Any, language: str) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if doc_of(field).positional else inspect.Parameter.KEYWORD_ONLY
    asked = _without_none(hint)
    parameter = Parameter(
        help=details(field, hint, language),
        show_default=False,
        negative_iterable=(),
        metavar="NAME" if doc_of(field).choices else METAVARS.get(asked),
        group=ARGUMENTS.text(language) if doc_of(field).positional else FLAGS.text(language),
        converter=_number if asked in (int, float) else _path if asked is Path else None,
    )
    return inspect.Parameter(field.name, kind, default=None, annotation=Annotated[asked, parameter])


def _without_none(hint: Any) -> Any:
    if not isinstance(hint, types.UnionType):
        return hint
    (asked,) = (option for option in typing.get_args(hint) if option is not type(None))
    return asked


def _path(hint: Any, tokens: Sequence[Token]) -> object:
    """The path that was typed; an empty one stays a text, which the settings refuse, because as a path it is the current folder."""
    return Path(tokens[0].value) if tokens[0].value else ""


def _number(hint: Any, tokens: Sequence[Token]) -> object:
    """The number that was typed, 1e5 for a whole one too; what is none stays a text, and the settings refuse it with all other faults."""
    word = tokens[0].value
    for read in (int, float) if hint is int else (float,):
        try:
            value = read(word)
        except ValueError:
            continue
        if isinstance(value, float) and hint is int:
            return int(value) if value.is_integer() else word
        return value
    return word


def _name_flags(error: BertsmithError, arguments: Sequence[str]) -> None:
    """Put the flag or the argument in front of the message; where it is missing, it is what the message begins with."""
    name = error.values.get("field")
    if error.where is None and isinstance(name, str):
        shown = name.upper() if name in arguments else flag_of(name)
        if error.code == "missing-field":
            error.values["field"] = shown
        else:
            error.where = shown
    for other in error.also:
        _name_flags(other, arguments)
