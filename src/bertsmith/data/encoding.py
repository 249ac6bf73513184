"""Raw documents to numbers: a pure function of a batch, a vocabulary and a few options, for this process or for any other."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.corpus import RawDocument
from bertsmith.data.encoded_text import I64, EncodedText, summed
from bertsmith.data.excluded_texts import ExcludedTexts
from bertsmith.data.hashes import of_texts
from bertsmith.data.shards import token_type
from bertsmith.text.sentences import split_sentences
from bertsmith.text.vocabulary import read_vocabulary
from bertsmith.text.wordpiece import WordPiece
from bertsmith.text.words import PIECES, segmenter


@dataclass(frozen=True)
class EncodingOptions:
    """How raw documents are encoded.

    Args:
        vocabulary: folder of the vocabulary.
        words: who finds words among Chinese characters: `pieces` (nobody) or a segmenter.
        excluded: file of the hashes of texts that no model may be trained on, if there are any.
    """

    vocabulary: Path
    words: str = PIECES
    excluded: Path | None = None


@dataclass(frozen=True)
class EncodedBatch:
    """A batch of raw documents as numbers.

    Args:
        text: their sentences, end to end.
        sentences_R: sentences of each raw document.
        goes_on_R: whether the next raw document is more of the same document.
        size: bytes of the sentences in UTF-8.
    """

    text: EncodedText
    sentences_R: I64
    goes_on_R: NDArray[np.bool_]
    size: int


def encode_batch(batch: tuple[RawDocument, ...], options: EncodingOptions) -> EncodedBatch:
    """Split raw documents into sentences, encode and hash them."""
    encoder, excluded = _tools(options)
    sentences = [_sentences(document) for document in batch]
    sentences_R = np.fromiter(map(len, sentences), np.int64, len(sentences))
    texts = list(chain.from_iterable(sentences))
    pieces = encoder.encode_together(texts)
    encoded = EncodedText(
        pieces.ids_T.astype(token_type(encoder.vocabulary.size)),
        pieces.starts_T,
        pieces.counts,
        np.fromiter(map(len, texts), np.int64, len(texts)),
        of_texts(texts),
        excluded.shared(pieces.ids_T, pieces.counts, summed(pieces.counts, sentences_R)),
    )
    size = len("".join(texts).encode("utf-8", "surrogatepass"))
    return EncodedBatch(encoded, sentences_R, np.array([document.goes_on for document in batch], bool), size)


def _sentences(document: RawDocument) -> list[str]:
    if document.of_sentences:
        return [paragraph.strip() for paragraph in document.paragraphs]
    return list(chain.from_iterable(map(split_sentences, document.paragraphs)))


@lru_cache(maxsize=1)
def _tools(options: EncodingOptions) -> tuple[WordPiece, ExcludedTexts]:
    encoder = WordPiece(read_vocabulary(options.vocabulary), segmenter(options.words))
    return encoder, ExcludedTexts.read(options.excluded) if options.excluded else ExcludedTexts.none()
