"""Docstrings in reStructuredText, numpydoc, Google's or Sphinx' style → paragraphs of running text: code, tables, headings and type lines are taken away."""

import re
from dataclasses import dataclass, field

_UNDERLINE = re.compile(r"""\s*([=\-~^`#*+."'_:])\1{2,}\s*$""")
_TABLE = re.compile(r"\s*([+|][-=+| ].*[+|]|\|.*\||[=\-]{2,}(\s+[=\-]{2,})+)\s*$|.*\S\s{3,}\S+(\s{3,}\S|\s+\|)")
_TABLE_EDGE = re.compile(r"={2,}(?: +={2,})+\s*$")
_DIRECTIVE = re.compile(r"(\s*)\.\.(?:\s+([\w-]+)::(.*)|\s.*|)$")
_FENCES = ("```", "~~~")
_DOCTESTS = (">>>", "In [", "$ ")
_GOOGLE_HEADING = re.compile(
    r"\s*(args|arguments|parameters?|params|keyword args|keyword arguments|kwargs|returns?|raises|yields?|attributes|shape|inputs?|outputs?|"
    r"examples?|notes?|usage|example usage|see also|references?|options|defaults?|warnings?|todo|methods|warns|receives)\s*:{1,2}\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"(\s*)[:@](param|parameter|arg|argument|key|keyword|returns?|raises?|yields?|ivar|cvar|var|attr|note)\b[^:]*:\s*(.*)$"
)
_OTHER_FIELD = re.compile(r"\s*[:@][a-zA-Z][\w -]*(?:`?[\w .,|\[\]]+)?:(?![`\w])")
_NAME = r"[`\"']{0,2}\*{0,2}[\w.\-\[\]]+\*{0,2}[`\"']{0,2}"
_TYPE_LINE = re.compile(rf"\s*[-*]?\s*{_NAME}(?:,\s*{_NAME})*\s+:(?:\s|$)")
_GOOGLE_ITEM = re.compile(rf"(\s*)(?:[-*]\s+)?{_NAME}\s*(?:\([^)]*\))?\s*:\s+(\S.*)$")
_TYPED_ITEM = re.compile(rf"(\s*)(?:[-*]\s+)?{_NAME}\s*\([^)]*\)\s*:\s+(\S.*)$")
_BULLET = re.compile(r"(\s*)(?:[-*+•]|\(?(?:\d{1,2}|[a-z]|[ivx]+)[.)])\s+(\S.*)$")
_MARKED = re.compile(
    r"^\s*(?:[^\sA-Za-z]|\w{1,3}[.)]\s)|:|\S\s{3,}\S"
)  # anything else in a line is plain text; the walk is fast on it
_ASIDES = ("note", "warning", "tip", "important", "caution", "attention", "hint", "admonition", "topic")
_KEPT_DIRECTIVES = frozenset((*_ASIDES, "versionadded", "versionchanged", "deprecated"))
_LISTS = ("parameters", "other parameters", "arguments", "keyword arguments", "attributes", "input", "output")
_LISTING_SECTIONS = frozenset((*_LISTS, "returns", "yields", "receives", "raises", "warns", "warnings"))
_HIDDEN_SECTIONS = frozenset(("see also", "references", "methods", "bibliography", "authors", "author", "copyright"))
_SPECIAL_SECTIONS = _LISTING_SECTIONS | _HIDDEN_SECTIONS


@dataclass
class _Reader:
    """Where a walk through the lines of one docstring stands."""

    kept: list[str] = field(default_factory=list)
    section: str = ""
    google: bool = False  # below a heading such as `Args:`
    hidden_below: int | None = None  # lines that are indented more than this are code
    until_blank: bool = False  # in a doctest or in the rows of a table
    in_fence: bool = False


def running_text(docstring: str) -> list[str]:
    """The paragraphs of running text of a docstring, each on one line; inline markup is still in it.

    Args:
        docstring: its text without the common indentation, as `inspect.cleandoc` gives it.
    """
    lines = docstring.expandtabs().splitlines()
    reader = _Reader()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not _hidden(reader, line):
            _keep(reader, line, following)
    return _paragraphs(reader.kept)


def _hidden(reader: _Reader, line: str) -> bool:
    """Whether a line is code; moves the walk into and out of code."""
    bare = line.lstrip(" ")
    if not bare:
        reader.until_blank = False
        return reader.in_fence or (reader.hidden_below is not None and _blank(reader))
    if bare.startswith(_FENCES):
        reader.in_fence = not reader.in_fence
        return True
    if reader.hidden_below is not None:
        if len(line) - len(bare) > reader.hidden_below:
            return True
        reader.hidden_below = None
    reader.until_blank = reader.until_blank or bare.startswith(_DOCTESTS) or bool(_TABLE_EDGE.match(bare))
    return reader.in_fence or reader.until_blank


def _blank(reader: _Reader) -> bool:
    reader.kept.append("")
    return True


def _keep(reader: _Reader, line: str, following: str) -> None:
    """Put what is prose in a line that is not code to what is kept."""
    marked = bool(_MARKED.search(line))
    if _heading(reader, line, following) or (marked and (_UNDERLINE.match(line) or _TABLE.match(line))):
        _blank(reader)
    elif not marked and reader.section not in _SPECIAL_SECTIONS:
        reader.kept.append(line)
    elif directive := _DIRECTIVE.match(line):
        _open_directive(reader, directive)
    elif reader.section not in _HIDDEN_SECTIONS:
        text = _item(reader, line, following)
        if text.rstrip().endswith("::"):
            reader.hidden_below = _indent(line)
            text = text.rstrip()[:-1]
        if text.strip(" :"):
            reader.kept.append(text)
        else:
            _blank(reader)


def _heading(reader: _Reader, line: str, following: str) -> bool:
    """Whether a line is a heading; remembers the section that it opens."""
    if _UNDERLINE.match(following) and line.strip() and not _UNDERLINE.match(line) and len(line.strip()) < 72:
        reader.section, reader.google = line.strip().lower().rstrip(":"), False
        return True
    if ":" in line and _GOOGLE_HEADING.match(line):
        name = line.strip().lower().rstrip(": ")
        reader.google = True
        reader.section = name if name in _HIDDEN_SECTIONS else ""
        return True
    return False


def _open_directive(reader: _Reader, directive: re.Match[str]) -> None:
    indent, name, rest = directive.groups()
    _blank(reader)
    if name in _KEPT_DIRECTIVES:
        if not name.startswith(("version", "deprecated")) and rest.strip():
            reader.kept.append(indent + rest.strip())
    else:
        reader.hidden_below = len(indent)


def _item(reader: _Reader, line: str, following: str) -> str:
    """The prose of a line: without the name and type of a parameter, the tag of a field, the mark of a list."""
    if match := _FIELD.match(line):
        _blank(reader)
        return match[1] + match[3]
    if _OTHER_FIELD.match(line):
        return ""
    deeper = _indent(following) > _indent(line) and bool(following.strip())
    if _TYPE_LINE.match(line) and (deeper or reader.section in _LISTING_SECTIONS):
        return ""
    if reader.section in _LISTING_SECTIONS and _indent(line) == 0 and (deeper or len(line.split()) <= 2):
        return ""
    if match := (_GOOGLE_ITEM if reader.google else _TYPED_ITEM).match(line):
        _blank(reader)
        return match[1] + match[2]
    if match := _BULLET.match(line):
        _blank(reader)
        return match[1] + match[2]
    return line


def _paragraphs(lines: list[str]) -> list[str]:
    """Join lines to paragraphs: a blank line ends one, and so does a line that is indented less, or more after a colon."""
    paragraphs: list[list[str]] = []
    previous = ""
    for line in lines:
        if not line.strip():
            previous = ""
            continue
        dedented = _indent(line) < _indent(previous)
        opened = previous.endswith(":") and _indent(line) > _indent(previous)
        if not previous or dedented or opened:
            paragraphs.append([])
        paragraphs[-1].append(line.strip())
        previous = line.rstrip()
    return [" ".join(paragraph) for paragraph in paragraphs]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
