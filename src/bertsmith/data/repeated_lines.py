"""Sentences that stood in the text before, found in bounded memory.

Thousands of repeated lines (menus, licences, page headers) keep a masked LM from learning (google-research/bert, issue 746).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import compress

from bertsmith.data.corpus import Document
from bertsmith.data.hashes import Seen, of_texts


class RepeatedLines:
    """Counts the repeated sentences of documents that pass by, and drops them if asked."""

    def __init__(self) -> None:
        self.sentences = 0
        self.repeats = 0
        self._seen = Seen()

    def drop_repeats(self, documents: Iterable[Document], how: str) -> Iterator[Document]:
        """Pass documents on and count; with `how` = `drop` without their repeated sentences, and without documents of nothing else.

        Args:
            documents: the documents in their order.
            how: `drop` or `keep`.
        """
        for document in documents:
            repeated = self._seen.repeats(of_texts(document.sentences))
            self.sentences += len(repeated)
            self.repeats += int(repeated.sum())
            if how == "keep":
                yield document
            elif not repeated.all():
                yield replace(document, sentences=tuple(compress(document.sentences, ~repeated)))
