"""What every verb takes: the language and `--json`. They are read before everything else, because help and errors need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertsmith.errors import UsageError

LANGUAGES = ("en", "zh")
FLAGS = ("--language", "--json")
_VARIABLES = ("BERTSMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as POSIX has it


@dataclass(frozen=True)
class General:
    """How the command line talks: in `en` or `zh`, with lines for people or with JSON for programs."""

    language: str = "en"
    json: bool = False


def environment_language(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for; English unless it is Chinese."""
    value = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return "zh" if value.lower().startswith("zh") else "en"


def take_general(words: Sequence[str], language: str) -> tuple[General, list[str]]:
    """Split the command line into the general flags, wherever they stand, and the rest.

    Args:
        words: the command line without the program's name.
        language: what holds where no flag says otherwise.

    Raises:
        UsageError: `--language` without a value or with an unknown one.
    """
    json, rest = False, []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        if word == "--json":
            json = True
        elif word == "--language" or word.startswith("--language="):
            language = _language(word.partition("=")[2] if "=" in word else waiting.pop(0) if waiting else "")
        else:
            rest.append(word)
    return General(language, json), rest


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise UsageError(
            "unknown-language", "there is no language {value!r}", do="use --language en or --language zh", value=value
        )
    return value
