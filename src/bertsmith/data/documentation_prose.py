"""Docstrings as prose: what remains of a docstring when code, tables and markup are taken away, as sentences."""

import re

from bertsmith.data.documentation_markup import running_text
from bertsmith.text.sentences import split_sentences

SHORTEST, LONGEST = 3, 80  # words of a sentence that is kept: shorter ones are labels, longer ones lists of names
_SHORTEST_ANNOUNCEMENT = 8  # words of a sentence that ends in a colon: shorter ones only announce code that is gone
_PLAIN_SHARE = 0.6  # of the words of a sentence must be plain words; below, it is a formula or code

_MATH = re.compile(r":math:`[^`]*`|\$\$?[^$\n]{1,200}?\$\$?")
_ROLE = re.compile(r":(?:[\w+-]+:){0,2}[\w+-]+:(?=`)|(?<=`):[\w+-]+:")
_TITLED = re.compile(r"`+\s*([^`<]+?)\s*<[^`>]*>\s*`+_{0,2}")
_SHORTENED = re.compile(r"`+(?:~\.?|\.)(?:\w+\.)*(\w+(?:\(\))?)`+")
_QUOTED = re.compile(r"`+([^`]+?)`+_{0,2}")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
_URL = re.compile(r"<?\b(?:https?|ftp)://[^\s>)]+>?|<?[\w.+-]+@[\w-]+\.[\w.]+>?")
_FOOTNOTE = re.compile(r"\s*\[(?:\d+|#\w*|\*|[A-Z]\w+\d{2,4}\w?)\]_?|\s*\|\w+\|_")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=[^\s*])([^*]+?)(?<=[^\s*])\1(?![\w*])")
_SUBSTITUTION = re.compile(r"(?<!\|)\|(\w[\w ]*)\|(?!\|)")
_TAG = re.compile(r"</?[a-zA-Z][\w-]*>")
_LONELY_STOP = re.compile(r"\s+(?=[.,;:!?)](?:\s|$))|(?<=\()\s+")
_EMPTY_BRACKETS = re.compile(r"\s*(?<!\w)(?:\(\s*[,;.]?\s*\)|\[\s*\])")
_PLAIN = re.compile(r"(?<!\S)[\"'(\[]*[A-Za-z]+(?:[-'/][A-Za-z]+)*[\"')\]]*[.,;:!?]*[\"')]*(?!\S)")
_OPENING = re.compile(r"[\"'(]?[A-Za-z0-9]")


def prose(docstring: str) -> tuple[str, ...]:
    """The sentences of a docstring.

    Args:
        docstring: its text without the common indentation, as `inspect.cleandoc` gives it.
    """
    paragraphs = (plain_text(paragraph) for paragraph in running_text(docstring))
    return tuple(sentence for paragraph in paragraphs for sentence in split_sentences(paragraph) if _is_sentence(sentence))


def plain_text(paragraph: str) -> str:
    """A paragraph without inline markup: roles, quotes of code, emphasis, links, footnotes; a formula becomes `x`."""
    text = _MATH.sub("x", paragraph) if ":math:" in paragraph or "$" in paragraph else paragraph
    if "`" in text:
        text = _ROLE.sub("", text)
        text = _SHORTENED.sub(r"\1", text)
        text = _TITLED.sub(r"\1", text)
        text = _QUOTED.sub(r"\1", text).replace("`", "")
    if "://" in text or "@" in text:
        text = _URL.sub("", _LINK.sub(r"\1", text))
    if "[" in text or "|" in text:
        text = _SUBSTITUTION.sub(r"\1", _FOOTNOTE.sub("", text))
    if "*" in text:
        text = _EMPHASIS.sub(r"\2", text)
    if "\\" in text:
        text = text.replace("\\ ", "").replace("\\", "")
    text = " ".join(text.split())
    return _LONELY_STOP.sub("", _EMPTY_BRACKETS.sub("", _TAG.sub("", text) if "<" in text else text))


def _is_sentence(text: str) -> bool:
    words = text.split()
    if not SHORTEST <= len(words) <= LONGEST or not _OPENING.match(text):
        return False
    if words[-1].endswith(":") and len(words) < _SHORTEST_ANNOUNCEMENT:
        return False
    return len(_PLAIN.findall(text)) >= _PLAIN_SHARE * len(words)
