"""What pretraining sees of a token store, decided once for `pretrain`, `inspect` and `config estimate`."""

import re

import numpy as np

from bertsmith.data.corpus import HELD_OUT, TRAIN
from bertsmith.data.instance_settings import AUTO, MASKED, SHORT_SHARE, InstanceSettings, Objective, Procedure, Unit
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import LEAST_DOCUMENTS, PairRules
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import DataError
from bertsmith.progress import Listener, ignore, warning
from bertsmith.text.words import PIECES

MANY_CHINESE = 0.5  # share of Chinese characters from which whole words are asked for in Chinese; assumed
SAMPLED = 2**20  # tokens of a shard that tell its script: their share is within 0.2 % of the shard's
_CHINESE = re.compile("(?:##)?[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]+")
EVALUATION_SEED = 0  # the same held-out instances and masks for every seed of the run, so that seeds compare


def objective_of(settings: InstanceSettings, store: TokenStore, listen: Listener = ignore) -> Objective:
    """What is learned: as asked for; by itself next sentences, where every shard has two documents or more.

    Raises:
        DataError: there is no training text.
    """
    shards = store.shards(TRAIN)
    if not shards:
        raise DataError(
            "no-training-text",
            "every document of the token store is held out",
            where=store.folder,
            do="run `bertsmith prepare` again with a smaller `--held-out`, or with more documents",
        )
    if settings.objective != AUTO:
        return Objective(settings.objective)
    if min(len(shard.documents) - 1 for shard in shards) >= LEAST_DOCUMENTS:
        return Objective.MLM_NSP
    listen(
        warning(
            "mlm-alone",
            "the text is one document, so there is no next-sentence prediction: masked LM alone is learned "
            "(`--documents` says what a document is)",
        )
    )
    return Objective.MLM


def training_instances(settings: InstanceSettings, store: TokenStore, objective: Objective) -> Instances:
    """The instances that are trained on.

    Raises:
        DataError: whole words are asked for, the text is Chinese, and the store does not know where its words begin; or the order of
            sentences is asked for, and no document has two.
    """
    procedure, unit = Procedure(settings.pairs), Unit(settings.mask_unit)
    if unit is not Unit.TOKEN:
        check_word_starts(store)
    pairs = PairRules(settings.max_seq_length, settings.short_share, objective, settings.seed, procedure, settings.copies)
    vocabulary = store.vocabulary
    masks = MaskRules(
        settings.masked_share,
        vocabulary.size,
        vocabulary.mask,
        settings.seed,
        unit,
        settings.replaced_share,
        settings.kept_share,
        settings.most_predicted,
    )
    instances = Instances(store, TRAIN, pairs, masks)
    if objective is Objective.MLM_SOP and not instances.count(0):
        raise DataError(
            "no-two-sentences",
            "no document has two sentences, so there is no order of sentences to tell",
            where=store.folder,
            do="set `--objective mlm`, or say with `--documents` what a document is and prepare the text again",
        )
    return instances


def evaluated_instances(settings: InstanceSettings, store: TokenStore, objective: Objective) -> Instances | None:
    """The held-out instances that are measured on, None where too little is held out.

    They depend on objective and length alone: single tokens hidden at 15 %, the pairs of the paper, one seed, whatever is trained
    with, so that losses compare.
    """
    shards = store.shards(HELD_OUT)
    needed = LEAST_DOCUMENTS if objective is Objective.MLM_NSP else 1
    if not shards or any(len(shard.documents) - 1 < needed for shard in shards):
        return None
    pairs = PairRules(settings.max_seq_length, SHORT_SHARE, objective, EVALUATION_SEED)
    instances = Instances(
        store, HELD_OUT, pairs, MaskRules(MASKED, store.vocabulary.size, store.vocabulary.mask, EVALUATION_SEED)
    )
    return instances if instances.count(0) else None


def check_word_starts(store: TokenStore) -> None:
    """Refuse whole words where they would silently be single characters.

    Raises:
        DataError: most of the text is Chinese characters, and only `##` tells where a word begins.
    """
    if store.words != PIECES or (share := chinese_share(store)) < MANY_CHINESE:
        return
    raise DataError(
        "no-word-starts",
        "{share} of the text are Chinese characters, and the token store does not know which of them begin a word",
        where=store.folder,
        do="install a segmenter with `pip install 'bertsmith[chinese]'` and run `bertsmith prepare … --words jieba` again, "
        "or take `--mask-unit token`",
        share=f"{share:.0%}",
    )


def chinese_share(store: TokenStore) -> float:
    """Share of Chinese characters among the tokens of the training text, by the beginning of each shard."""
    chinese_V = np.array([_CHINESE.fullmatch(piece) is not None for piece in store.vocabulary.pieces])
    samples = [shard.tokens[:SAMPLED] for shard in store.shards(TRAIN)]
    total = sum(len(sample) for sample in samples)
    return sum(int(np.count_nonzero(chinese_V[sample])) for sample in samples) / max(total, 1)
