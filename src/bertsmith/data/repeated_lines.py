"""Sentences that stood in the text before, found in bounded memory.

Thousands of repeated lines (menus, licences, page headers) keep a masked LM from learning (google-research/bert, issue 746).
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bertsmith.data.corpus import Document

SLOTS = 2**22  # of 8 bytes: 32 MiB, enough for the last four million distinct sentences or so


class RepeatedLines:
    """Counts the repeated sentences of documents that pass by, and drops them if asked.

    A direct-mapped table of hashes: a new sentence takes the place of an older one in its slot, so frequent repeats are found and
    very distant rare ones may be missed. A sentence is taken for another one with a probability of 2⁻⁶⁴.
    """

    def __init__(self) -> None:
        self.sentences = 0
        self.repeats = 0
        self._seen = array("Q", bytes(8 * SLOTS))

    def drop_repeats(self, documents: Iterable[Document], how: str) -> Iterator[Document]:
        """Pass documents on and count; with `how` = `drop` without their repeated sentences, and without documents of nothing else.

        Args:
            documents: the documents in their order.
            how: `drop` or `keep`.
        """
        for document in documents:
            fresh = tuple([sentence for sentence in document.sentences if self._is_new(sentence)])
            if how == "keep":
                yield document
            elif fresh:
                yield replace(document, sentences=fresh)

    def _is_new(self, sentence: str) -> bool:
        self.sentences += 1
        key = int.from_bytes(hashlib.blake2b(sentence.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        if self._seen[key % SLOTS] == key:
            self.repeats += 1
            return False
        self._seen[key % SLOTS] = key
        return True
