"""The two languages of the project: phrases that carry both, and the Chinese of every error and note by its code."""

from collections.abc import Mapping
from dataclasses import dataclass

from bertsmith.messages.zh import ERRORS, NOTES

__all__ = ["Phrase", "chinese", "chinese_note", "filled", "flag_of"]


@dataclass(frozen=True)
class Phrase:
    """A text in both languages."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """The text for a reader of `en` or `zh`."""
        return self.zh if language == "zh" else self.en


def chinese(code: str, what: str, do: str) -> tuple[str, str]:
    """The Chinese templates of an error; a code that is not there yet keeps its English."""
    return ERRORS.get(code, (what, do))


def chinese_note(code: str, text: str) -> str:
    """The Chinese template of a note; a code that is not there yet keeps its English."""
    return NOTES.get(code, text)


def filled(template: str, values: Mapping[str, object], language: str) -> str:
    """A template with its values, a phrase among them in the reader's language."""
    return template.format(
        **{name: value.text(language) if isinstance(value, Phrase) else value for name, value in values.items()}
    )


def flag_of(name: str) -> str:
    """How the command line calls a field: `--max-seq-length`."""
    return "--" + name.replace("_", "-")
