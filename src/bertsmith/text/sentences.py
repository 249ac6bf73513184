"""Where sentences end, in spaced scripts and in Chinese and Japanese, by the punctuation alone."""

import re

_WIDE = "。！？；｡"  # these end a sentence whatever follows
_STOPS = r".!?…؟۔।॥" + _WIDE
_CLOSING = "\"'”’»›)\\]}）】》〉」』｝〕"
_GOING_ON = "，、：；。！？,;:…)）》」』”’—"  # after a closed quotation these show that the sentence goes on
_PLAIN = r"(?:(?<=[a-z]{3}\.)(?=\s[A-Z])()|)"  # a third group where one full stop stands between a small and a capital letter
_RUN = re.compile(f"([{_STOPS}]++)([{_CLOSING}]*+){_PLAIN}")
_FULL_STOPS = re.compile(
    rf"(\.\.*+)([{_CLOSING}]*+)(?=\s){_PLAIN}"
)  # begins with one character, hence is found four times as fast
_PLAIN_GROUP = 3
_FOREIGN_STOPS = tuple("…؟۔।॥" + _WIDE)
_NEXT = re.compile(r"\s+[\"'“‘«‹(\[¿¡「『（《]*")
_EASTERN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff“「『《（]")
_WORDLIKE = re.compile(r"\w")
_ENDS_AT_ONCE = frozenset(_WIDE)

# Before a name or a noun: a capital letter behind them begins no sentence.
_TITLES = frozenset(
    re.findall(
        r"\w+",
        "dr mr mrs ms messrs prof st mt ft gen rep sen gov capt cmdr lt col sgt maj adm rev hon pres supt fr sr jr vs cf viz approx dept univ assn "
        "bros mme mlle bzw",
    )
)
# Before a number only: "No. 5", "Fig. 2", "Jan. 3".
_BEFORE_NUMBERS = frozenset(
    re.findall(
        r"\w+",
        "no nos nr fig figs eq eqs vol vols p pp art sec ch chap al ca c v jan feb mar apr jun jul aug sep sept oct nov dec",
    )
)
_SHORT_ENDINGS = frozenset(word[-3:] for word in _TITLES | _BEFORE_NUMBERS)  # behind other letters a plain full stop is an end
_LONGEST_SHORT = 6  # letters of the longest of these
_HOURS = frozenset(("a.m", "p.m"))  # unlike "U.S.", mostly at the end of a sentence when a capital letter follows


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without blanks around them; closing quotes stay with the sentence they close.

    A full stop ends a sentence when blanks and then anything but a small letter follow (in a text without a single capital letter: anything), unless
    it belongs to an abbreviation, an initial or a number at the start. 。！？； end one whatever follows, ……, ! and ? when a
    Chinese or Japanese character follows. A stretch without a letter or digit goes to the sentence before it.

    Args:
        text: a paragraph; line ends in it are blanks.
    """
    ends: list[int] = []
    start, small = 0, text.islower()
    for run in (_FULL_STOPS if _has_only_full_stops(text) else _RUN).finditer(text):
        if run.lastindex == _PLAIN_GROUP and text[run.start() - 3 : run.start()] not in _SHORT_ENDINGS:
            ends.append(start := run.end())
            continue
        end = _end_of(text, start, run, small)
        if end:
            if _WORDLIKE.search(text, start, end) is None and ends:
                ends[-1] = end
            else:
                ends.append(end)
            start = end
    if start < len(text):
        if ends and _WORDLIKE.search(text, start) is None:
            ends[-1] = len(text)
        else:
            ends.append(len(text))
    start, sentences = 0, []
    for end in ends:
        if sentence := text[start:end].strip():
            sentences.append(sentence)
        start = end
    return sentences


def _has_only_full_stops(text: str) -> bool:
    return not ("?" in text or "!" in text or (not text.isascii() and any(stop in text for stop in _FOREIGN_STOPS)))


def _end_of(text: str, start: int, run: re.Match[str], small: bool) -> int:
    """Where the sentence from `start` on ends if this run of stops ends it, else 0."""
    end = run.end()
    if end == len(text):
        return 0
    stops, closing = run.group(1, 2)
    following = text[end]
    if not _ends_whatever_follows(stops, following):
        return end if following.isspace() and _ends_spaced(text, start, run, small) else 0
    if closing:
        if closing.startswith('"') and text.count('"', start, run.end(1)) % 2 == 0:
            return run.end(1)  # it opens the next sentence's quotation
        if following in _GOING_ON:
            return 0
    return end


def _ends_whatever_follows(stops: str, following: str) -> bool:
    if stops == ".":
        return False
    if not _ENDS_AT_ONCE.isdisjoint(stops):
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
    if len(word) > _LONGEST_SHORT and "." not in word:
        return False
    low = word.lower()
    if low in _TITLES or (low in _BEFORE_NUMBERS and following.isdigit()):
        return True
    if word.isdigit():
        return len(word) <= 3 and not text[start : stop - len(word)].strip()  # "12. An item of a list"
    letters = word.split(".")
    return low not in _HOURS and all(len(letter) == 1 and letter.isalpha() for letter in letters)
