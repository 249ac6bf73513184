"""Growing a vocabulary by the pieces that save most on a new text; the old pieces keep their order and their ids.

What a new piece saves is counted on the words of the text. Every word is cut by the old vocabulary and by the old one with the new
pieces, the longest piece first. Both cuts agree up to the first new piece; from there a new piece answers for all that happens up
to the next one, so that the savings of all pieces add up to the tokens that the text gets shorter:

    old    cardio ##my ##op ##ath ##ies
    new    cardio ##myopath      ##ies         ##myopath saves 2

A character that no old piece writes makes its whole word [UNK]. It counts as two tokens, itself and its loss: so a new piece is
worth a token more for each such character that it writes, and single characters, all that can be added to a Chinese vocabulary, are
worth something at all.

Candidates are the pieces of a vocabulary learned from the text alone, twice as large as the extended one will be, so that more of them
are new than are asked for. They are chosen in rounds, each of which lets in some more, by what each candidate would save beside those that
are in, and puts out those that save less, because others that came in with them do their work.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from bertsmith.errors import DataError
from bertsmith.progress import Advance, Listener, Stage, ignore, note
from bertsmith.text.learning import count_words, merged_pieces
from bertsmith.text.vocabulary import CONTINUED, SPECIAL, Vocabulary

WIDER = 2  # pieces that are learned for each one of the extended vocabulary, so that there is a choice
LOOKED_AT = 2**18  # words, the most frequent, that decide; each round takes a second for about 30,000 of them
ROUNDS = 8  # in which as many more pieces are let in each time; assumed
SETTLING = 2  # more rounds at most, in which pieces change places; six others changed nothing on 20 MB of an encyclopedia
_LOST = 2  # tokens that an unknown character counts as: itself and its loss; assumed
_UNUSED = re.compile(r"\[unused\d+\]")  # rows that Google's vocabularies keep free, never trained on


class Place(Enum):
    """Where new pieces go: behind the old ones, with new rows in the word table, or into the unused slots that are there."""

    BEHIND = "behind"
    UNUSED = "unused"


@dataclass(frozen=True)
class NewPiece:
    """A piece that is added.

    Args:
        piece: the piece.
        id: its id in the extended vocabulary.
        old: what the old vocabulary cuts it into; empty where it cannot write it.
        saves: tokens that it saves on the text, an unknown character counting as two.
    """

    piece: str
    id: int
    old: tuple[str, ...]
    saves: int


@dataclass(frozen=True)
class Measured:
    """How long the text is in pieces.

    Args:
        tokens: pieces of all words.
        unknown: those that are [UNK].
    """

    tokens: int
    unknown: int


@dataclass(frozen=True)
class Extension:
    """A vocabulary with new pieces, and what they are good for.

    Args:
        vocabulary: the extended one.
        new: the new pieces, the most useful first.
        before: the text in old pieces.
        after: the text in old and new pieces.
    """

    vocabulary: Vocabulary
    new: tuple[NewPiece, ...]
    before: Measured
    after: Measured


def is_unused(piece: str) -> bool:
    """Whether a piece is a slot that is kept free for new pieces, `[unused7]`."""
    return _UNUSED.fullmatch(piece) is not None


def extend_vocabulary(
    texts: Iterable[str],
    old: Vocabulary,
    *,
    add: int,
    place: Place = Place.BEHIND,
    min_frequency: int = 2,
    listen: Listener = ignore,
) -> Extension:
    """Add the pieces that save most on a text; the same texts give the same pieces in the same order.

    Args:
        texts: sentences or longer; read once, in bounded memory.
        old: the vocabulary; it also says how case, accents and Chinese characters are treated.
        add: how many pieces.
        place: where they go.
        min_frequency: a piece must occur this often.
        listen: told the progress, and when fewer pieces save anything than are asked for.

    Raises:
        DataError: the texts hold no word or too few, no new piece saves anything, or there are fewer unused slots than pieces.
    """
    slots = [number for number, piece in enumerate(old.pieces) if is_unused(piece)]
    if place is Place.UNUSED and len(slots) < add:
        raise DataError(
            "too-few-unused",
            "the vocabulary has {slots} unused slots for {add} new pieces",
            do="add fewer with --add, or leave --into-unused out, so that they stand behind the old ones",
            slots=len(slots),
            add=add,
        )
    words = count_words(texts, old.normalizer(), listen, split_chinese=old.split_chinese)
    learned = merged_pieces(words, SPECIAL, size=WIDER * (old.size + add), min_frequency=min_frequency, listen=ignore)
    listen(Stage("choose pieces", unit="passes"))
    cut = Cutter(old.pieces)
    frequent = Counter(dict(words.most_common(LOOKED_AT)))
    candidates = frozenset(learned) - old.ids.keys()
    saved = _chosen(frequent, old, candidates, add, listen)
    if not saved:
        raise DataError(
            "nothing-to-add",
            "no new piece saves anything on this text: the vocabulary writes it as it is",
            do="keep the vocabulary, or give a text of the kind that it is to be extended for",
        )
    if len(saved) < add:
        few = {"found": len(saved), "add": add}
        listen(note("fewer-new-pieces", "{found} new pieces save something, fewer than the {add} asked for", **few))
    ids = slots[: len(saved)] if place is Place.UNUSED else range(old.size, old.size + len(saved))
    new = [NewPiece(piece, i, cut.of_piece(piece), saves) for (piece, saves), i in zip(saved.items(), ids)]
    pieces = [*old.pieces, *("" for i in ids if i >= old.size)]
    for one in new:
        pieces[one.id] = one.piece
    vocabulary = replace(old, pieces=tuple(pieces))
    return Extension(vocabulary, tuple(new), measured(words, cut), measured(words, Cutter(pieces)))


class Cutter:
    """Cuts words into pieces, the longest first (google-research/bert, tokenization.py).

    Args:
        pieces: of the vocabulary.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        pieces = tuple(pieces)
        self.first = frozenset(piece for piece in pieces if not piece.startswith(CONTINUED))
        self.inside = frozenset(piece.removeprefix(CONTINUED) for piece in pieces if piece.startswith(CONTINUED))
        self._longest = max(map(len, pieces), default=0)

    def end(self, word: str, start: int, inside: bool) -> int:
        """Where the longest piece from `start` ends, in characters; `start` itself where there is none.

        Args:
            word: normalised, without blanks or punctuation in it.
            start: where the piece begins.
            inside: whether it is one that goes on a word.
        """
        known = self.inside if inside else self.first
        for end in range(min(len(word), start + self._longest), start, -1):
            if word[start:end] in known:
                return end
        return start

    def ends(self, word: str, inside: bool = False) -> list[int]:
        """Where each piece of a word ends; empty where no pieces make the word, which is then [UNK]."""
        start, found = 0, []
        while start < len(word):
            end = self.end(word, start, inside or start > 0)
            if end == start:
                return []
            found.append(end)
            start = end
        return found

    def of_piece(self, piece: str) -> tuple[str, ...]:
        """The pieces that a piece is cut into; of one that cannot go on a word, those of the same characters at a word's beginning."""
        inside, word = piece.startswith(CONTINUED), piece.removeprefix(CONTINUED)
        ends = self.ends(word, inside)
        if inside and not ends:
            inside, ends = False, self.ends(word)
        pieces = [_piece(word, start, end) for start, end in zip([0, *ends], ends)]
        return tuple([f"{CONTINUED}{one}" for one in pieces[:1]] + pieces[1:] if inside else pieces)


def measured(words: Mapping[str, int], cut: Cutter) -> Measured:
    """How many pieces counted words are, and how many of those are [UNK]."""
    tokens = unknown = 0
    for word, count in words.items():
        pieces = len(cut.ends(word))
        tokens += count * max(pieces, 1)
        unknown += count * (not pieces)
    return Measured(tokens, unknown)


def _chosen(words: Counter[str], old: Vocabulary, candidates: frozenset[str], add: int, listen: Listener) -> dict[str, int]:
    """At most `add` new pieces and what each saves beside the others, the most useful first."""
    before = Cutter(old.pieces)
    chosen: frozenset[str] = frozenset()
    for number in range(1, ROUNDS + SETTLING + 1):
        room = -(-add * min(number, ROUNDS) // ROUNDS)
        saved = _best(_saved(words, before, Cutter([*old.pieces, *chosen]), chosen, candidates - chosen), room)
        listen(Advance(number, {"pieces": len(saved)}))
        if number >= ROUNDS and saved.keys() == chosen:
            break
        chosen = frozenset(saved)
    while True:  # a word that is [UNK] as before gives no credit now, and what saves nothing goes
        cut = Cutter([*old.pieces, *chosen])
        written = Counter({word: count for word, count in words.items() if cut.ends(word)})
        saved = _best(_saved(written, before, cut, chosen, frozenset()), add)
        if saved.keys() == chosen:
            return saved
        chosen = frozenset(saved)


def _best(saved: Mapping[str, int], room: int) -> dict[str, int]:
    useful = sorted((-tokens, piece) for piece, tokens in saved.items() if tokens > 0)
    return {piece: -tokens for tokens, piece in useful[:room]}


def _saved(
    words: Mapping[str, int], before: Cutter, after: Cutter, chosen: frozenset[str], outside: frozenset[str]
) -> Counter[str]:
    """The tokens that each chosen piece saves, and those that each one outside would save if it came in alone.

    Args:
        words: how often each occurs.
        before: cuts with the old pieces.
        after: cuts with the old and the chosen ones.
        chosen: the new pieces that are in.
        outside: those that are not.
    """
    saved: Counter[str] = Counter()
    first = frozenset(piece for piece in outside if not piece.startswith(CONTINUED))
    inside = frozenset(piece.removeprefix(CONTINUED) for piece in outside if piece.startswith(CONTINUED))
    for word, count in words.items():
        steps = _steps(word, after)
        if len(steps) > 1 or steps[0].cost > 1:
            rest = _rest(word, after)
            for start, end, cost in steps:
                for longer in range(end + (cost == 1), len(word) + 1):
                    if word[start:longer] in (inside if start else first):
                        saved[_piece(word, start, longer)] += count * (rest[start] - 1 - rest[longer])
        if not chosen.isdisjoint(_piece(word, start, end) for start, end, _ in steps):
            old, answers = {step.start: step.cost for step in _steps(word, before)}, ""
            for start, end, cost in steps:
                piece = _piece(word, start, end)
                answers = piece if piece in chosen else answers
                if answers:
                    saved[answers] += count * (sum(old.get(place, 0) for place in range(start, end)) - cost)
    return saved


class _Step(NamedTuple):
    """A piece of a word, or one character that no piece writes."""

    start: int
    end: int
    cost: int


def _steps(word: str, cut: Cutter) -> list[_Step]:
    start, steps = 0, []
    while start < len(word):
        end = cut.end(word, start, start > 0)
        steps.append(_Step(start, end, 1) if end > start else _Step(start, start + 1, _LOST))
        start = steps[-1].end
    return steps


def _rest(word: str, cut: Cutter) -> list[int]:
    """What the rest of a word costs from each character on, where a piece begins there."""
    rest = [0] * (len(word) + 1)
    for start in reversed(range(len(word))):
        end = cut.end(word, start, start > 0)
        rest[start] = 1 + rest[end] if end > start else _LOST + rest[start + 1]
    return rest


def _piece(word: str, start: int, end: int) -> str:
    """Part of a word as the piece that it is there."""
    return f"{CONTINUED}{word[start:end]}" if start else word[:end]
