"""Where sentences end, in spaced scripts and in Chinese and Japanese, by the punctuation alone."""

import re
from itertools import chain

_WIDE = "。！？；｡"  # these end a sentence whatever follows
_STOPS = r".!?…؟۔।॥" + _WIDE
_CLOSING = "\"'”’»›)\\]}）】》〉」』｝〕"
_GOING_ON = "，、：；。！？,;:…)）》」』”’—"  # after a closed quotation these show that the sentence goes on
_RUN = re.compile(f"([{_STOPS}]+)([{_CLOSING}]*)")
_NEXT = re.compile(r"\s+[\"'“‘«‹(\[¿¡「『（《]*")
_EASTERN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff“「『《（]")
_WORDLIKE = re.compile(r"\w")

# Before a name or a noun: a capital letter behind them begins no sentence.
_TITLES = re.compile(
    "dr|mrs?|ms|messrs|prof|st|mt|ft|gen|rep|sen|gov|capt|cmdr|lt|col|sgt|maj|adm|rev|hon|pres|supt|fr|sr|jr|vs|cf|viz|approx|dept|univ|"
    "assn|bros|mme|mlle|bzw"
)
# Before a number only: "No. 5", "Fig. 2", "Jan. 3".
_BEFORE_NUMBERS = re.compile(
    "nos?|nr|figs?|eqs?|vols?|pp?|art|sec|ch|chap|al|ca|c|v|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_HOURS = frozenset(("a.m", "p.m"))  # unlike "U.S.", mostly at the end of a sentence when a capital letter follows


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without blanks around them; closing quotes stay with the sentence they close.

    A full stop ends a sentence when blanks and then anything but a small letter follow (in a text without a single capital letter: anything), unless
    it belongs to an abbreviation, an initial or a number at the start. 。！？； end one whatever follows, ……, ! and ? when a
    Chinese or Japanese character follows. A stretch without a letter or digit goes to the sentence before it.

    Args:
        text: a paragraph; line ends in it are blanks.
    """
    spans: list[tuple[int, int]] = []
    start, small = 0, text.islower()
    ends = (end for run in _RUN.finditer(text) if (end := _end_of(text, start, run, small)))
    for end in chain(ends, (len(text),)):
        wordless = _WORDLIKE.search(text, start, end) is None
        if wordless and spans:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        start = end
    return [sentence for begin, end in spans if (sentence := text[begin:end].strip())]


def _end_of(text: str, start: int, run: re.Match[str], small: bool) -> int:
    """Where the sentence from `start` on ends if this run of stops ends it, else 0."""
    stops, closing, end = run.group(1), run.group(2), run.end()
    if end == len(text):
        return 0
    following = text[end]
    if not _ends_whatever_follows(stops, following):
        return end if following.isspace() and _ends_spaced(text, start, run, small) else 0
    if closing.startswith('"') and text.count('"', start, run.end(1)) % 2 == 0:
        return run.end(1)  # it opens the next sentence's quotation
    return 0 if closing and following in _GOING_ON else end


def _ends_whatever_follows(stops: str, following: str) -> bool:
    if not frozenset(_WIDE).isdisjoint(stops):
        return True
    return stops[-1] in "!?…" and _EASTERN.match(following) is not None


def _ends_spaced(text: str, start: int, run: re.Match[str], small: bool) -> bool:
    blanks = _NEXT.match(text, run.end())
    if blanks is None or blanks.end() == len(text):
        return False
    following, stop = text[blanks.end()], run.start()
    if stop > start and text[stop - 1].isspace():
        return True  # tokenised text: the stop stands by itself
    if following.islower() and not small:
        return False
    return run.group() != "." or not _abbreviated(text, start, stop, following)


def _abbreviated(text: str, start: int, stop: int, following: str) -> bool:
    """Whether the full stop at `stop` belongs to the word before it."""
    words = text[max(start, stop - 16) : stop].split()
    word = words[-1].lstrip("(\"'“‘[") if words else ""
    low = word.lower()
    if _TITLES.fullmatch(low) or (following.isdigit() and _BEFORE_NUMBERS.fullmatch(low)):
        return True
    if word.isdigit():
        return len(word) <= 3 and not text[start : stop - len(word)].strip()  # "12. An item of a list"
    letters = word.split(".")
    return low not in _HOURS and all(len(letter) == 1 and letter.isalpha() for letter in letters)
