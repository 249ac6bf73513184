"""Who finds the words among Chinese characters when a corpus is prepared."""

import re

from bertsmith.data.corpus import Corpus, Position
from bertsmith.errors import ConfigError
from bertsmith.progress import Listener, note
from bertsmith.text.vocabulary import Vocabulary
from bertsmith.text.words import JIEBA, PIECES, jieba_name

_LOOKED_AT = 2**20  # characters from the beginning of each of some files
_FILES = 16  # that are looked into, spread over the corpus
_MOSTLY = 0.5  # of the letters are Chinese; assumed
_CHINESE, _LETTER = re.compile("[一-鿿]"), re.compile(r"[^\W\d_]")


def chosen_words(wanted: str, corpus: Corpus, vocabulary: Vocabulary, listen: Listener) -> str:
    """`pieces` or `jieba`.

    Args:
        wanted: `auto`, `none` or `jieba`, as a person said.
        corpus: the text.
        vocabulary: words need one in which every Chinese character is a token.
        listen: told when whole words would be of use and nobody finds them.

    Raises:
        ConfigError: jieba is asked for, and Chinese characters are not tokens.
    """
    if wanted == JIEBA and not vocabulary.split_chinese:
        raise ConfigError(
            "words-need-characters",
            "the vocabulary does not set Chinese characters apart, so its pieces already lie across words",
            where="--words",
            do="use --words none, or a vocabulary with tokenize_chinese_chars",
        )
    if wanted != "auto":
        return JIEBA if wanted == JIEBA else PIECES
    if not vocabulary.split_chinese or _chinese_share(corpus) < _MOSTLY:
        return PIECES
    if jieba_name():
        return JIEBA
    listen(
        note(
            "words-unknown",
            "the text is mostly Chinese and no segmenter is installed: masking will take each character for a word; "
            "for whole words run `pip install 'bertsmith[chinese]'` and prepare again",
        )
    )
    return PIECES


def _chinese_share(corpus: Corpus) -> float:
    """The share of Chinese characters among the letters at the beginnings of some files."""
    chinese = letters = 0
    for number in range(0, len(corpus.files), max(1, len(corpus.files) // _FILES)):
        left = _LOOKED_AT
        for document, position in corpus.raw_documents(Position(number)):
            text = "".join(document.paragraphs)[:left]
            chinese, letters = chinese + len(_CHINESE.findall(text)), letters + len(_LETTER.findall(text))
            left -= len(text)
            if left <= 0 or position.file != number:
                break
    return chinese / max(letters, 1)
