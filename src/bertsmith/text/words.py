"""Where words begin in a script that writes none: a segmenter behind a protocol, jieba by default (extra `chinese`)."""

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Protocol

from bertsmith.errors import MachineError

PIECES, JIEBA = "pieces", "jieba"
_SHORT = 8  # characters; longer runs hardly come twice (measured on 5 MB of encyclopedia)
_REMEMBERED = 2**15  # short runs and their words, about 250 bytes each


class Segmenter(Protocol):
    """Finds the words of a text without blanks."""

    @property
    def name(self) -> str:
        """Name and version, as the manifest of a store records it."""
        ...

    def lengths(self, runs: Sequence[str]) -> Iterator[int]:
        """The number of characters of each word of each run of Chinese characters, one after another."""
        ...


class JiebaSegmenter:
    """jieba in its default mode, the dictionary with its model for unknown words."""

    def __init__(self) -> None:
        import jieba  # type: ignore[import-untyped,import-not-found,unused-ignore]

        logging.getLogger("jieba").setLevel(logging.WARNING)  # it tells of its dictionary on standard error
        self.name = jieba_name()
        self._tokenizer = jieba.Tokenizer()
        # jieba's own start would keep a cache under a fixed name in the folder for temporary files, which anyone may write
        self._tokenizer.FREQ, self._tokenizer.total = self._tokenizer.gen_pfdict(self._tokenizer.get_dict_file())
        self._tokenizer.initialized = True
        self._of_short = lru_cache(_REMEMBERED)(self._words)

    def lengths(self, runs: Sequence[str]) -> Iterator[int]:
        """The number of characters of each word of each run of Chinese characters, one after another."""
        for run in runs:
            yield from self._of_short(run) if len(run) <= _SHORT else self._words(run)

    def _words(self, run: str) -> tuple[int, ...]:
        return tuple(map(len, self._tokenizer.cut(run)))


def jieba_name() -> str:
    """`jieba` and its version; empty where it is not installed."""
    return f"{JIEBA} {version(JIEBA)}" if find_spec(JIEBA) else ""


@lru_cache(maxsize=1)
def segmenter(name: str) -> Segmenter | None:
    """The segmenter that a store names; None for `pieces`, where only `##` tells that a word goes on.

    Raises:
        MachineError: it is not installed.
    """
    if name == PIECES:
        return None
    if not jieba_name():
        raise MachineError(
            "no-segmenter",
            "the segmenter {name} of Chinese words is not installed",
            do="run `pip install 'bertsmith[chinese]'`, or do without words with --words none",
            name=JIEBA,
        )
    return JiebaSegmenter()
