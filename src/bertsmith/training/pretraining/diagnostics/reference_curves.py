"""What our own runs of small BERTs reached behind so many tokens: the band in which a run of the same size may be expected.

Held-out masked LM losses are told as shares of the unigram's, so that vocabularies and languages compare. Between two points the share is
taken along the logarithm of the tokens; outside of what was measured nothing is expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from bertsmith.config.bert import BertConfig

BAND = 0.08  # of the unigram's loss, above or below; seeds stray by a tenth of it, corpora, batches and rates by most of it


@dataclass(frozen=True)
class ReferenceCurve:
    """One of our runs, or several of one size whose shares are the mean.

    Args:
        layers: of the network.
        width: hidden size.
        points: millions of tokens, rising, and held-out masked LM loss over that of the unigram.
    """

    layers: int
    width: int
    points: tuple[tuple[float, float], ...]

    def share(self, tokens: float) -> float | None:
        """The expected share behind so many tokens, None outside of what was measured."""
        millions = tokens / 1e6
        for (before, higher), (behind, lower) in pairwise(self.points):
            if before <= millions <= behind:
                return higher + (lower - higher) * log(millions / before) / log(behind / before)
        return None


CURVES: Sequence[ReferenceCurve] = (
    ReferenceCurve(  # mini on English; on Chinese it stood up to .08 lower
        4,
        256,
        (
            (0.39, 0.965),
            (0.77, 0.873),
            (1.16, 0.810),
            (1.55, 0.770),
            (1.93, 0.743),
            (2.32, 0.719),
            (2.71, 0.703),
            (3.09, 0.685),
            (3.87, 0.661),
            (4.64, 0.640),
            (5.80, 0.621),
        ),
    ),
    ReferenceCurve(  # small on English, 32 minutes of one core; on Chinese within .03 of it
        4,
        512,
        ((0.19, 1.0), (0.38, 0.979), (0.58, 0.956), (0.77, 0.926), (0.96, 0.905), (1.08, 0.901)),
    ),
)


def reference_of(config: BertConfig) -> ReferenceCurve | None:
    """The curve of a network's size, None where we have none."""
    sizes = (config.num_hidden_layers, config.hidden_size)
    return next((curve for curve in CURVES if (curve.layers, curve.width) == sizes), None)
