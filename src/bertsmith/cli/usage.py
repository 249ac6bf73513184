"""A command line that cannot be understood: cyclopts' findings as our errors, with the same look and in both languages."""

import difflib
from collections.abc import Iterable, Sequence

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)
from cyclopts.exceptions import UnknownOptionError

from bertsmith.cli.general import FLAGS
from bertsmith.config.fields import nearest
from bertsmith.errors import UsageError
from bertsmith.jobs.verbs import VERBS
from bertsmith.messages import flag_of

_OWN = (*FLAGS, "--help", "--version")


def usage_error(error: CycloptsError) -> UsageError:
    """What cyclopts found, told in our own words; a kind that we do not know keeps cyclopts' English."""
    chain = tuple(error.command_chain or ())
    help_command = " ".join(("bertsmith", *chain, "--help"))
    match error:
        case UnknownOptionError(token=token):
            flags = [name for argument in error.argument_collection for name in argument.names]
            return _unknown_flag(token.keyword or token.value, flags, help_command)
        case UnknownCommandError(unused_tokens=[word, *_]):
            return _unknown_flag(word, [], help_command) if word.startswith("-") else _unknown_verb(word, chain)
        case MissingArgumentError(keyword=str(flag)):
            return UsageError("flag-without-value", "a value is missing", where=flag, do="write {flag} VALUE", flag=flag)
        case RepeatArgumentError(token=token):
            flag = str(token.keyword)
            return UsageError("flag-twice", "it is given more than once", where=flag, do="keep one {flag}", flag=flag)
        case CoercionError(token=token) if token is not None and error.target_type is bool:
            return _not_a_switch(str(token.keyword), token.value)
        case UnusedCliTokensError(unused_tokens=list(words)):
            return UsageError(
                "too-many-arguments",
                "arguments that are not expected: {words}",
                do="see {help}; put a path or a text with blanks into quotes",
                words=" ".join(words),
                help=help_command,
            )
    return UsageError("usage", "the command is not understood: {reason}", do="see {help}", reason=str(error), help=help_command)


def _unknown_flag(word: str, flags: Iterable[str], help_command: str) -> UsageError:
    flag = word.partition("=")[0]
    near = difflib.get_close_matches(flag, [*flags, *_OWN], n=1, cutoff=0.6)
    if near:
        return UsageError("unknown-flag", "there is no flag {flag}", do="did you mean {near}?", flag=flag, near=near[0])
    return UsageError(
        "unknown-flag-of",
        "there is no flag {flag}",
        do="see {help} for the flags; put -- in front of a text that begins with a hyphen",
        flag=flag,
        help=help_command,
    )


def _unknown_verb(word: str, chain: Sequence[str]) -> UsageError:
    known = list(dict.fromkeys(verb.words[len(chain)] for verb in VERBS if verb.words[: len(chain)] == list(chain)))
    return UsageError(
        "unknown-verb",
        "there is no command {word!r}",
        do="use one of {verbs}{nearest}",
        word=word,
        verbs=", ".join(known),
        nearest=nearest(word, known),
    )


def _not_a_switch(flag: str, value: str) -> UsageError:
    return UsageError(
        "flag-not-a-switch",
        "{value!r} is neither on nor off",
        where=flag,
        do="write {flag} for on or {off} for off",
        value=value,
        flag=flag,
        off=flag_of("no-" + flag.removeprefix("--")),
    )
