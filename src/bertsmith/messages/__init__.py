"""The two languages of the project: phrases that carry both, and the Chinese of every error and note by its code."""

from dataclasses import dataclass

from bertsmith.messages.zh import ERRORS, NOTES

__all__ = ["Phrase", "chinese", "chinese_note"]


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
