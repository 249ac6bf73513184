"""Sentences as numbers, on their way from the text to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def summed(values: I64, counts: I64) -> I64:
    """The sums of so many neighbours each; of none it is 0."""
    before = np.append(0, np.cumsum(values))
    sums: I64 = np.diff(before[np.append(0, np.cumsum(counts))])
    return sums


@dataclass(frozen=True)
class EncodedText:
    """Sentences end to end.

    Args:
        ids_T: their pieces, in the number type of the store.
        starts_T: whether each piece begins a word.
        tokens_S: pieces of each sentence; it may have none.
        characters_S: characters of each.
        hashes_S: hash of each sentence's characters.
        excluded_S: whether each shares something with a text that no model may be trained on.
    """

    ids_T: NDArray[Any]
    starts_T: NDArray[np.bool_]
    tokens_S: I64
    characters_S: I64
    hashes_S: NDArray[np.uint64]
    excluded_S: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.tokens_S)

    def between(self, first: int, last: int) -> "EncodedText":
        """The sentences from `first` to before `last`."""
        begin = int(self.tokens_S[:first].sum())
        tokens, sentences = slice(begin, begin + int(self.tokens_S[first:last].sum())), slice(first, last)
        return self._taken(tokens, sentences)

    def where(self, wanted_S: NDArray[np.bool_]) -> "EncodedText":
        """The wanted sentences."""
        return self if wanted_S.all() else self._taken(np.repeat(wanted_S, self.tokens_S), wanted_S)

    def _taken(self, tokens: Any, sentences: Any) -> "EncodedText":
        return EncodedText(
            self.ids_T[tokens],
            self.starts_T[tokens],
            self.tokens_S[sentences],
            self.characters_S[sentences],
            self.hashes_S[sentences],
            self.excluded_S[sentences],
        )

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Its arrays for a file, under a name."""
        return {f"{name}.{field.name}": getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> "EncodedText":
        """What `arrays` gave for this name."""
        return EncodedText(*(arrays[f"{name}.{field.name}"] for field in fields(EncodedText)))

    @staticmethod
    def joined(texts: Sequence["EncodedText"]) -> "EncodedText":
        """Several of them end to end."""
        if len(texts) == 1:
            return texts[0]
        return EncodedText(*(np.concatenate([getattr(text, field.name) for text in texts]) for field in fields(EncodedText)))


def no_text(token_type: "np.dtype[Any]") -> EncodedText:
    """No sentence at all."""
    none = np.zeros(0, np.int64)
    return EncodedText(none.astype(token_type), none.astype(bool), none, none, none.astype(np.uint64), none.astype(bool))
