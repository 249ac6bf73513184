"""Learning the pieces of a WordPiece vocabulary: count words, choose the characters, merge pairs.

The merging is the WordPiece trainer of the `tokenizers` library. By itself it gives other ids, and with ties other pieces, in every
process, because it numbers `##x` pieces in the order of a randomly seeded hash table; here it is handed the characters and
their `##` forms in a fixed order, which leaves nothing to chance.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import neg

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from bertsmith.errors import DataError
from bertsmith.progress import Advance, Listener, Stage, note

_PUNCTUATION = r"!-/:-@\[-`{-~，。、；：？！“”‘’（）《》…—"
_CHINESE = "一-鿿"
_APART = re.compile(f"[{_CHINESE}{_PUNCTUATION}]|[^\\s{_CHINESE}{_PUNCTUATION}]+")
_JOINED = re.compile(f"[{_PUNCTUATION}]|[^\\s{_PUNCTUATION}]+")
_NO_BLANKS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")  # blanks to Python, control characters, hence dropped, to BERT

LONGEST_WORD = 100  # characters; longer words are unknown to the encoder, so they teach nothing
LEAST_PIECES = 8  # special ones included: the smallest vocabulary that a config takes
MOST_SHARE = 0.75  # never more than this share of the pieces are characters, so that some can be words; assumed
RAW_WORDS, WORDS = 2**20, 2**22  # distinct words in memory, about 100 bytes each; rare ones go first
_CHUNK = 10_000  # repeats of a word handed over at once


def surface_words(split_chinese: bool) -> Callable[[str], list[str]]:
    """A function that cuts a text where any BERT tokenizer cuts it, whatever its case and accents.

    The cuts are blanks, ASCII and Chinese punctuation and (with `split_chinese`) Chinese characters; a part may still hold
    several words, but no word lies in two parts. So parts can be counted and encoded one by one.
    """
    find = (_APART if split_chinese else _JOINED).findall

    def words(text: str) -> list[str]:
        return find(_NO_BLANKS.sub("", text) if _NO_BLANKS.search(text) else text)

    return words


def learn_pieces(
    texts: Iterable[str],
    normalizer: normalizers.Normalizer,
    special: Sequence[str],
    *,
    size: int,
    min_frequency: int,
    listen: Listener,
) -> tuple[str, ...]:
    """The pieces in the order of their ids: special ones, characters, `##` characters, then the merged ones as they were found.

    Raises:
        DataError: the texts hold no word, or too few to write any with pieces.
    """
    return merged_pieces(count_words(texts, normalizer, listen), special, size=size, min_frequency=min_frequency, listen=listen)


def merged_pieces(
    words: Counter[str], special: Sequence[str], *, size: int, min_frequency: int, listen: Listener
) -> tuple[str, ...]:
    """The same from words that are counted already.

    Raises:
        DataError: as above.
    """
    if not words:
        raise DataError(
            "no-words",
            "the text holds no word to learn from",
            do="give text in any language; the files hold only blanks, symbols or words over {longest} characters",
            longest=LONGEST_WORD,
        )
    characters, continued = choose_characters(words, size - len(special), min_frequency)
    known = sum(count for word, count in words.items() if characters.issuperset(word))
    _tell_coverage(characters, known / words.total(), listen)
    first = [*special, *sorted(f"##{character}" for character in continued)]
    listen(Stage("learn pieces"))
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=first,
        initial_alphabet=sorted(characters),
        limit_alphabet=len(characters),
        show_progress=False,
    )
    learner = Tokenizer(models.WordPiece(unk_token=special[1]))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    learner.train_from_iterator(_repeated(words, characters), trainer)
    ids = learner.get_vocab()
    merged = sorted(ids.keys() - {*first, *characters}, key=ids.__getitem__)
    pieces = (*special, *sorted(characters), *first[len(special) :], *merged)
    if not known or len(pieces) < LEAST_PIECES:
        raise DataError(
            "too-little-text",
            "the text is too small to learn a vocabulary from: {words} different words, {pieces} pieces",
            do="give more text; a few pages are the least that is of use",
            words=len(words),
            pieces=len(pieces),
        )
    if len(pieces) < size:
        listen(
            note(
                "fewer-pieces",
                "the text yields {found} pieces, fewer than the {size} asked for; the vocabulary is complete and smaller",
                found=len(pieces),
                size=size,
            )
        )
    return pieces


def count_words(
    texts: Iterable[str], normalizer: normalizers.Normalizer, listen: Listener, *, split_chinese: bool = True
) -> Counter[str]:
    """How often each normalised word occurs; when memory is full the rarest are forgotten."""
    listen(Stage("count words", unit="characters"))
    raw: Counter[str] = Counter()
    words: Counter[str] = Counter()
    cut, read, told, forget = surface_words(split_chinese), 0, 0, 1
    for text in texts:
        raw.update(cut(text))
        read += len(text)
        if len(raw) > RAW_WORDS:
            _settle(raw, words, normalizer)
        while len(words) > WORDS:
            words = Counter({word: count for word, count in words.items() if count > forget})
            forget += 1
        if read - told >= 2**20:
            told = read
            listen(Advance(read, {"words": len(words) + len(raw)}))
    _settle(raw, words, normalizer)
    listen(Advance(read, {"words": len(words)}))
    return words


def _settle(raw: Counter[str], words: Counter[str], normalizer: normalizers.Normalizer) -> None:
    """Move counts of raw parts to the normalised words in them."""
    cut = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    for part, count in raw.items():
        for word, _ in cut(normalizer.normalize_str(part)):
            if len(word) <= LONGEST_WORD:
                words[word] += count
    raw.clear()


def choose_characters(words: Counter[str], size: int, min_frequency: int) -> tuple[set[str], set[str]]:
    """The characters that get a piece, and those among them that also occur inside words and get a `##` piece.

    A character gets one if it is among the `size` most frequent of all characters and words: a rarer one would take the
    place of a word. The library's own limit of 1000 would leave most of Chinese unknown; none would let the rare characters of a
    large text crowd out its words.

    Args:
        words: how often each word occurs.
        size: pieces that are left when the special ones are counted off.
        min_frequency: a character must occur this often.
    """
    counts: Counter[str] = Counter()
    inside: set[str] = set()
    for word, count in words.items():
        inside.update(word[1:])
        for character in word:
            counts[character] += count
    rivals = sorted((count for word, count in words.items() if len(word) > 1), reverse=True)
    chosen: set[str] = set()
    spent = 0
    for character, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        spent += 1 + (character in inside)
        better = bisect_left(rivals, -count, key=neg)  # words more frequent than the character
        if count < min_frequency or spent > MOST_SHARE * size or spent + better > size:
            break
        chosen.add(character)
    return chosen, chosen & inside


def _tell_coverage(characters: set[str], share: float, listen: Listener) -> None:
    listen(
        note(
            "characters-chosen",
            "{chosen} characters get a piece; {share:.3%} of the words are written with them, the others are unknown",
            chosen=len(characters),
            share=share,
        )
    )


def _repeated(words: Counter[str], characters: set[str]) -> Iterator[str]:
    """Every word as often as it occurs, in strings of bounded length; words with a character that has no piece are left out."""
    for word, count in sorted(words.items()):
        if characters.issuperset(word):
            for start in range(0, count, _CHUNK):
                yield f"{word} " * min(_CHUNK, count - start)
