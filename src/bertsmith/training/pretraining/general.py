"""The loss on a general text before and after, so that forgetting is seen; and the loss per character, which compares across vocabularies.

A model that goes on with the text of one domain forgets some of what it knew (McCloskey and Cohen 1989). How much is seen on a text
of the kind that it was trained on, which is measured and never trained on: always the same instances with the same masks.

The loss per piece does not compare across vocabularies: a longer piece is harder to guess, and says more. So the losses are also told for
each character that the hidden pieces write: bits per character = Σ -log₂ p(piece) / Σ characters of the piece. `##` is none, and [UNK], which
tells no character, counts with its loss alone: a vocabulary does not gain by what it cannot write.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bertsmith.data.corpus import HELD_OUT, TRAIN
from bertsmith.data.instance_recipe import EVALUATION_SEED
from bertsmith.data.instance_settings import MASKED, SHORT_SHARE, Objective
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import LEAST_DOCUMENTS, PairRules
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import DataError
from bertsmith.progress import Listener, note, warning
from bertsmith.records.scores import Score
from bertsmith.text.vocabulary import CONTINUED, Vocabulary
from bertsmith.training.pretraining.settings import PretrainSettings

GENERAL = "general"  # the split of scores, and what stands before the names of measures in the log
RISE = 0.1  # nats more on the general text from which it is told as forgetting: a tenth more perplexity; assumed


def characters_of(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """(V,) how many characters each piece writes; none for special ones."""
    lengths_V = np.array([len(piece.removeprefix(CONTINUED)) for piece in vocabulary.pieces], np.int64)
    lengths_V[list(vocabulary.special_ids)] = 0
    return lengths_V


def bits_per_character(nats: float, characters: int) -> float:
    """The loss of hidden pieces, summed, for each character that they write."""
    return nats / math.log(2) / max(characters, 1)


def general_store(settings: PretrainSettings, store: TokenStore) -> TokenStore | None:
    """The token store of the general text, None where none is given.

    Raises:
        DataError: no token store, or one of another vocabulary.
    """
    if settings.general is None:
        return None
    general = TokenStore.open(settings.general)
    if general.vocabulary.pieces != store.vocabulary.pieces:
        raise DataError(
            "general-vocabulary",
            "the general text was prepared with another vocabulary than the text to train on: {theirs} pieces, {ours}",
            where=settings.general,
            do="run `bertsmith prepare` on the general text with --vocabulary {folder}; where the vocabulary was extended, both need it",
            theirs=general.vocabulary.sha256[:8] + f" ({general.vocabulary.size})",
            ours=store.vocabulary.sha256[:8] + f" ({store.vocabulary.size})",
            folder=settings.store,
        )
    return general


def general_instances(general: TokenStore, objective: Objective, length: int) -> Instances:
    """What is measured on the general text: its held-out instances, or all, for none are trained on, where nothing is held out.

    Masks and pairs are those of every evaluation. Where the text has too few documents for pairs, it is read without them.

    Args:
        general: the token store of the general text.
        objective: that of the run.
        length: of the longest sequence.

    Raises:
        DataError: the text is too short for a single instance.
    """
    vocabulary = general.vocabulary
    masks = MaskRules(MASKED, vocabulary.size, vocabulary.mask, EVALUATION_SEED)
    for what in dict.fromkeys((objective, Objective.MLM)):
        for split in (HELD_OUT, TRAIN):
            shards = general.shards(split)
            needed = LEAST_DOCUMENTS if what is Objective.MLM_NSP else 1
            if shards and all(len(shard.documents) - 1 >= needed for shard in shards):
                instances = Instances(general, split, PairRules(length, SHORT_SHARE, what, EVALUATION_SEED), masks)
                if instances.count(0):
                    return instances
    raise DataError(
        "general-too-short",
        "the general text gives no instance to measure on",
        where=general.folder,
        do="give a longer text with --general",
    )


def tell_before(before: Mapping[str, float], listen: Listener) -> None:
    """Tell what was measured on the general text before the first step."""
    listen(
        note(
            "before-the-first-step",
            "before the first step the masked LM loss on the general text is {loss} ({bits} bits a character)",
            loss=f"{before[f'{GENERAL}_mlm_loss']:.3f}",
            bits=f"{before[f'{GENERAL}_bits_per_character']:.3f}",
        )
    )


def general_scores(before: Mapping[str, float], after: Mapping[str, float], tokens: int) -> list[Score]:
    """What was measured on the general text, beside what it was before the first step.

    Args:
        before: the measures before the first step, by the names of the log.
        after: those now.
        tokens: how many were hidden.
    """
    names = {name: name.removeprefix(f"{GENERAL}_") for name in after if name.startswith(f"{GENERAL}_")}
    return [Score(metric, after[name], GENERAL, tokens, 1, None, ("before", before[name])) for name, metric in names.items()]


def tell_forgetting(scores: list[Score], listen: Listener) -> None:
    """Warn where the loss on the general text rose by more than `RISE`."""
    for score in scores:
        if score.split == GENERAL and score.metric == "mlm_loss" and score.baseline is not None:
            before, after = score.baseline[1], score.value
            if after > before + RISE:
                listen(
                    warning(
                        "general-text-forgotten",
                        "the loss on the general text rose from {before} to {after}, by more than {bound}: the model forgets what it knew → "
                        "lower --learning-rate or --steps, or mix general text into the corpus",
                        before=f"{before:.3f}",
                        after=f"{after:.3f}",
                        bound=RISE,
                    )
                )
