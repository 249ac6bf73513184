"""Full-length stretches of single documents, for masked LM alone.

Liu et al. 2019 (RoBERTa), section 4.2, DOC-SENTENCES: whole sentences of one document, as many as fit. That is their better
form; they left it for FULL-SENTENCES, which goes on into the next document, because a batch of padded rows then has the same size,
and nothing is padded here. A sentence longer than the room is cut after `room` tokens and its rest begins the next stretch, so no token
is lost or seen twice in an epoch.
"""

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def ends_of_windows(sentences: I64, documents: I64, room: int, document: I64, start: I64) -> I64:
    """Where stretches end that begin at the given tokens.

    Args:
        sentences: token offset of every sentence, and the end.
        documents: sentence offset of every document, and the end.
        room: most tokens of a stretch.
        document: the document of each stretch.
        start: its first token.
    """
    full = start + room
    whole = sentences[np.searchsorted(sentences, full, side="right") - 1]
    end: I64 = np.minimum(np.where(whole > start, whole, full), sentences[documents[document + 1]])
    return end
