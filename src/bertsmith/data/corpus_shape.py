"""What is a document and what is a line in a text file, inferred from a sample of its lines.

    wrapped novel        lines of like width that break off in mid-sentence      a file is a document, lines are joined
    sentence a line      most lines hold one sentence                            a document between blank lines, else the file
    encyclopedia         `= Title =` lines                                       a document from title to title, a paragraph a line
    WikiExtractor        `<doc id=… title=…>` and `</doc>` lines                 a document between the two
    paragraphs           most lines hold several sentences                       a document between blank lines, if several lines stand between them

Where every line of several sentences stands by itself, a line could be a document or a paragraph of one. It counts as a document
when the corpus is a single file or the file is over a megabyte, and most lines hold several sentences; otherwise the file is the document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bertsmith.text.sentences import split_sentences

EXTRACTED = "extracted"  # documents as WikiExtractor writes them
SAMPLE_BYTES = 2**18  # of the beginning of a file; assumed to be like the rest
_LARGE = 2**20  # bytes; few single texts are longer, few collections are shorter; assumed
_LINES_LOOKED_AT = 500  # for sentences
_TAG = re.compile(r"<doc id=.*>|</doc>")
_TITLE = re.compile(r"\s*=\s[^=].*[^=]\s=\s*")
_HEADING = re.compile(r"\s*=\s.*\s=\s*")
_ENDS = re.compile(r"[.!?…:;。！？；：؟।][\"'”’»)\]）】》〉」』]*$")
_WIDE_CHARACTER = re.compile("[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]")

# Shares that tell the shapes apart; all assumed, and right for the corpora that they were tried on.
_FULL_WIDTH, _FULL_SHARE, _BROKEN_SHARE = 0.75, 0.6, 0.5
_NARROWEST, _WIDEST = 30, 160  # columns of wrapped text
_PARAGRAPH_SHARE = 0.3  # a splitter disagrees with sentence-a-line files on fewer lines than this
_TEXTS_SHARE = 0.6
_SINGLE_SHARE = 0.8


@dataclass(frozen=True)
class Shape:
    """What a document and a line are: `file`, `title`, `blank-line`, `line` or `extracted`; `sentence`, `paragraph` or `wrapped`."""

    documents: str
    lines: str


@dataclass(frozen=True)
class Place:
    """Where a sample comes from: size of its file in bytes, and how many text files the corpus has."""

    size: int
    files: int


def infer_shape(sample: Sequence[str], place: Place, documents: str = "auto", lines: str = "auto") -> Shape:
    """The shape of a text file.

    Args:
        sample: whole lines from its beginning.
        place: size of the file and number of files.
        documents: `auto`, or what a person said.
        lines: the same for lines.
    """
    if documents != "auto" and lines != "auto":
        return Shape(documents, lines)
    if documents == "auto" and _TAG.fullmatch(next((line.strip("\ufeff ") for line in sample if line.strip()), "")):
        return Shape(EXTRACTED, "paragraph" if lines == "auto" else lines)
    blocks = _blocks([line for line in sample if not _HEADING.fullmatch(line)])
    several = _share_of_several(blocks)
    if lines == "auto":
        wrapped = documents != "line" and _is_wrapped(blocks)
        lines = "wrapped" if wrapped else "paragraph" if several >= _PARAGRAPH_SHARE else "sentence"
    if documents == "auto":
        documents = _documents(sample, blocks, lines, several, place)
    return Shape(documents, lines)


def is_title(line: str) -> bool:
    """Whether a line is the `= Title =` of an article; `= = Heading = =` and `== Heading ==` are not."""
    return _TITLE.fullmatch(line) is not None and not line.strip().startswith("= =")


def heading_text(line: str) -> str:
    """The words of a title or heading of any level; another line as it is."""
    return line.strip().strip("= ") if _HEADING.fullmatch(line) else line


def _documents(sample: Sequence[str], blocks: list[list[str]], lines: str, several: float, place: Place) -> str:
    titles = sum(map(is_title, sample))
    if titles >= 2 or any(is_title(line) for line in [line for line in sample if line.strip()][:1]):
        return "title"
    if lines == "wrapped":
        return "file"
    many_texts = lines == "paragraph" and several >= _TEXTS_SHARE and (place.files == 1 or place.size > _LARGE)
    if len(blocks) < 2:
        return "line" if many_texts else "file"
    if sum(len(block) == 1 for block in blocks) >= _SINGLE_SHARE * len(blocks):
        return "blank-line" if many_texts else "file"
    return "blank-line"


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Runs of lines without a blank one between them."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _share_of_several(blocks: list[list[str]]) -> float:
    """The share of lines with more than one sentence."""
    lines = [line for block in blocks for line in block]
    looked_at = lines[:: max(1, len(lines) // _LINES_LOOKED_AT)]
    return sum(len(split_sentences(line)) > 1 for line in looked_at) / max(len(looked_at), 1)


def _is_wrapped(blocks: list[list[str]]) -> bool:
    """Whether lines that are not the last of a paragraph are about equally wide and mostly break off in mid-sentence."""
    inner = [line.strip() for block in blocks for line, following in pairwise(block) if indent(following) <= indent(line)]
    if len(inner) < 3:
        return False
    widths = sorted(len(line) + len(_WIDE_CHARACTER.findall(line)) for line in inner)
    full = widths[len(widths) * 9 // 10]
    like = sum(full * _FULL_WIDTH <= width for width in widths) / len(widths)
    broken = sum(_ENDS.search(line) is None for line in inner) / len(inner)
    return _NARROWEST <= full <= _WIDEST and widths[-1] <= 2 * _WIDEST and like >= _FULL_SHARE and broken >= _BROKEN_SHARE


def is_tag(line: str) -> bool:
    """Whether WikiExtractor's mark of a document's beginning or end is all that a line holds."""
    return line.lstrip("\ufeff").startswith("<") and _TAG.fullmatch(line.strip("\ufeff \r\n")) is not None


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip())
