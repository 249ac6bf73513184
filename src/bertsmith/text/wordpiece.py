"""Texts to ids and back.

The bulk path goes around the library: texts are cut where every BERT tokenizer cuts them. Characters that always stand alone (Chinese
ones and punctuation) are looked up all at once, and so are words of Latin letters that were met before; the ids of other parts are
remembered one by one. The ids are the library's own (a test compares them over all of Unicode), which spends its time on normalising.
"""

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bertsmith.text.vocabulary import Vocabulary
from bertsmith.text.word_table import WordTable
from bertsmith.text.words import Segmenter

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
REMEMBERED = 2**17  # parts in each of two generations, about 130 bytes a part: 34 MB at most
_CHINESE, _PUNCTUATION = "一-鿿", r"!-/:-@\[-`{-~，。、；：？！“”‘’（）《》…—"  # with a cut on both sides, as in `learning`
_FALSE_BLANKS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")  # blanks to Python, control characters, hence dropped, to BERT
_EASTERN = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…—"
_POINTS = "，。、；：？！（）《》「」『』“”‘’…—"
_NEEDLESS_BLANK = re.compile(f"(?<=[{_EASTERN}]) (?=[{_EASTERN}])| (?=[{_POINTS}])|(?<=[{_POINTS}]) ")
_BETWEEN = "\0"  # texts; inside a text BERT drops it
_BLANK, _ALONE, _IN_WORD, _DROPPED, _TEXT_END = range(5)
_UNITS = 2**16  # of UTF-16; characters beyond take two units, which never stand alone
_CHINESE_RUN = re.compile(f"[{_CHINESE}]+")


@dataclass(frozen=True)
class Pieces:
    """The pieces of some texts, laid end to end.

    Args:
        ids_T: their ids.
        counts: how many pieces each text has.
        starts_T: whether each begins a word.
    """

    ids_T: I32
    counts: I64
    starts_T: NDArray[np.bool_]


class WordPiece:
    """Encodes texts with a vocabulary; special pieces in a text are plain characters.

    Args:
        vocabulary: the vocabulary.
        segmenter: finds the words among Chinese characters; without one each character is a word. It never changes an id.
    """

    def __init__(self, vocabulary: Vocabulary, segmenter: Segmenter | None = None) -> None:
        self.vocabulary, self._segmenter = vocabulary, segmenter
        self._tokenizer = vocabulary.tokenizer()
        self._remembered, self._table = _Remembered(self._tokenizer, vocabulary.lowercase), WordTable(vocabulary.lowercase)
        alone = _PUNCTUATION + (_CHINESE if vocabulary.split_chinese else "")
        units = np.arange(_UNITS, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
        self._kinds = np.full(_UNITS, _IN_WORD, np.uint8)
        for kind, pattern in ((_BLANK, r"\s"), (_ALONE, f"[{alone}]"), (_DROPPED, _FALSE_BLANKS)):
            self._kinds[[found.start() for found in re.finditer(pattern, units)]] = kind
        self._kinds[ord(_BETWEEN)] = _TEXT_END
        self._alone_ids = np.full(_UNITS, vocabulary.unknown, np.int32)
        for piece, number in vocabulary.ids.items():
            if len(piece) == 1 and ord(piece) < _UNITS:
                self._alone_ids[ord(piece)] = number
        self._learn_whole_words()

    def encode(self, texts: Sequence[str]) -> list[I32]:
        """The ids of each text, without [CLS] and [SEP]."""
        pieces = self.encode_together(texts)
        ends = np.cumsum(pieces.counts).tolist()
        return [pieces.ids_T[first:end] for first, end in zip([0, *ends], ends)]

    def encode_one(self, text: str) -> I32:
        """The ids of a text, without [CLS] and [SEP]."""
        return self.encode_together([text]).ids_T

    def encode_together(self, texts: Sequence[str]) -> Pieces:
        """The ids of texts without [CLS] and [SEP], end to end; much faster than one by one where there are thousands."""
        joined = _between(texts)
        units = _units(joined)
        kinds = self._kinds[units]
        if (kinds == _DROPPED).any():
            joined = _FALSE_BLANKS.sub("", joined)
            units = _units(joined)
            kinds = self._kinds[units]
        alone, in_word = kinds == _ALONE, kinds == _IN_WORD
        edges = np.flatnonzero(in_word[1:] != in_word[:-1]) + 1
        begin_W = edges[::2]
        words_T, pieces_W = self._words(units, begin_W, edges[1::2] - begin_W)
        begins = alone.copy()
        begins[begin_W] = True
        at_P = np.flatnonzero(begins)  # parts: words and characters that stand alone
        pieces_P, word_P = np.ones(len(at_P), np.int64), in_word[at_P]
        pieces_P[word_P] = pieces_W
        before_P = np.append(0, np.cumsum(pieces_P))
        ids_T, of_word_T = np.empty(before_P[-1], np.int32), np.repeat(word_P, pieces_P)
        ids_T[of_word_T], ids_T[~of_word_T] = words_T, self._alone_ids[units[alone]]
        starts_T = self.vocabulary.starts_word[ids_T]
        if self._segmenter is not None and self.vocabulary.split_chinese:
            unit_P = units[at_P]
            chinese_T = before_P[:-1][(unit_P >= ord(_CHINESE[0])) & (unit_P <= ord(_CHINESE[-1]))]
            starts_T[chinese_T] &= self._segmented(joined, len(chinese_T), self._segmenter)
        ends = before_P[np.searchsorted(at_P, np.flatnonzero(kinds == _TEXT_END))]
        return Pieces(ids_T, np.diff(ends), starts_T)

    def _learn_whole_words(self) -> None:
        """Know the words that are pieces from the start; met one by one they would cost twenty times as much."""
        plain = [piece for piece in self.vocabulary.pieces if piece.isascii() and piece.isalnum()]
        words = [word for word in plain if not (self.vocabulary.lowercase and word != word.lower())]
        length_W = np.fromiter(map(len, words), np.int64, len(words))
        keys_W2 = self._table.keys(_units("".join(words)), np.cumsum(length_W) - length_W, length_W)
        ids_W = np.fromiter(map(self.vocabulary.ids.__getitem__, words), np.int32, len(words))
        self._table.learn(keys_W2, np.ones(len(words), np.int64), ids_W)

    def _words(self, units: NDArray[np.uint16], begin_W: I64, length_W: I64) -> tuple[I32, I64]:
        """The ids of words, end to end, and how many each has."""
        keys_W2 = self._table.keys(units, begin_W, length_W)
        slot_W, count_W = self._table.look_up(keys_W2)
        new_W = count_W == 0
        if not new_W.any():
            return self._table.pieces(slot_W, count_W), count_W
        found = list(map(self._remembered.__getitem__, _spelled(units, begin_W[new_W], length_W[new_W])))
        count_W[new_W] = np.fromiter(map(len, found), np.int64, len(found)) // np.dtype(np.int32).itemsize
        slot_W[new_W] = 0
        ids_T, new_ids = self._table.pieces(slot_W, count_W), np.frombuffer(b"".join(found), np.int32)
        ids_T[np.repeat(new_W, count_W)] = new_ids
        self._table.learn(keys_W2[new_W], count_W[new_W], new_ids)
        return ids_T, count_W

    @staticmethod
    def _segmented(text: str, characters: int, segmenter: Segmenter) -> NDArray[np.bool_]:
        """Whether each Chinese character of a text begins a word."""
        lengths = np.fromiter(segmenter.lengths(_CHINESE_RUN.findall(text)), np.int64)
        starts = np.zeros(characters, bool)
        starts[np.cumsum(lengths) - lengths] = True
        return starts

    def with_offsets(self, text: str) -> tuple[I32, NDArray[np.int64]]:
        """The ids of a text and, (T, 2), the first character of each piece in it and the one behind its last."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return np.array(encoding.ids, np.int32), np.array(encoding.offsets, np.int64).reshape(-1, 2)

    def decode(self, ids: Sequence[int] | NDArray[np.integer]) -> str:
        """A readable text of some ids: pieces joined to words, no blanks between Chinese characters, special pieces shown."""
        text = self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=False)
        return _NEEDLESS_BLANK.sub("", text)


def _between(texts: Sequence[str]) -> str:
    """Texts with a separator before, between and behind them, without what it must not be taken for."""
    joined = _BETWEEN.join(("", *texts, ""))
    if joined.count(_BETWEEN) != len(texts) + 1:
        joined = _BETWEEN.join(("", *(text.replace(_BETWEEN, "") for text in texts), ""))
    return joined


def _units(text: str) -> NDArray[np.uint16]:
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")


def _spelled(units: NDArray[np.uint16], begin_W: I64, length_W: I64) -> list[str]:
    """Words as strings; behind each another unit must stand."""
    ends = np.cumsum(length_W + 1)
    letters = units[np.arange(ends[-1]) + np.repeat(begin_W + length_W + 1 - ends, length_W + 1)]
    letters[ends - 1] = ord(" ")
    spelled: str = letters.tobytes().decode("utf-16-le", "surrogatepass")
    return spelled.split(" ")[:-1]


class _Remembered(dict[str, bytes]):
    """The ids (int32) of parts of texts; when the young generation is full it becomes the old one, and the old one is forgotten."""

    def __init__(self, tokenizer: Tokenizer, lowercase: bool) -> None:
        super().__init__()
        self._tokenizer, self._model, self._lowercase = tokenizer, tokenizer.model, lowercase
        self._old: dict[str, bytes] = {}

    def __missing__(self, part: str) -> bytes:
        found = self._old.get(part)
        if found is None:
            found = array("i", self._ids(part)).tobytes()
        if len(self) >= REMEMBERED:
            self._old = self.copy()
            self.clear()
        self[part] = found
        return found

    def _ids(self, part: str) -> list[int]:
        if part.isascii() and part.isalnum():  # needs no normalising but case, which costs more than all the rest
            return [token.id for token in self._model.tokenize(part.lower() if self._lowercase else part)]
        ids: list[int] = self._tokenizer.encode(part, add_special_tokens=False).ids
        return ids
