"""`inspect` of a token store: masked instances as text, as training would see them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bertsmith.data.batches import PackedBatch
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import PairRules
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import ConfigError
from bertsmith.jobs.convert_settings import InspectSettings
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.jobs.prepare import store_lines, store_numbers
from bertsmith.messages import Phrase

SHORT_SHARE, MASKED_SHARE = 0.1, 0.15  # the defaults of `pretrain`


def inspect_store(settings: InspectSettings, given: Mapping[str, object]) -> Outcome:
    """Read some instances of an epoch in the order of the epoch.

    Raises:
        DataError: no token store.
        ConfigError: the epoch has no instance of that number.
    """
    store = TokenStore.open(settings.path)
    pairs = all(len(shard.documents) > 2 for shard in store.shards("train"))
    rules = PairRules(settings.max_seq_length, SHORT_SHARE, pairs, settings.seed)
    masks = MaskRules(MASKED_SHARE, store.vocabulary.size, store.vocabulary.mask, settings.seed)
    instances = Instances(store, "train", rules, masks)
    count = instances.count(settings.epoch)
    if settings.first >= count:
        raise ConfigError(
            "no-such-instance", "the epoch has {count} instances", do="give --first below {count}", where="first", count=count
        )
    shown = [
        _shown(store, instances.batch(settings.epoch, range(position, position + 1)), pairs)
        for position in range(settings.first, min(settings.first + settings.count, count))
    ]
    lines = [Phrase("", "")]
    for number, one in enumerate(shown, settings.first):
        kind = {True: Phrase("not next", "非下一句"), False: Phrase("next", "下一句"), None: Phrase("", "")}[one["not_next"]]
        lines += [
            Phrase(f"#{number}  {kind.en}", f"#{number}  {kind.zh}"),
            Phrase(f"  {one['text']}", f"  {one['text']}"),
            Phrase(f"  hidden: {' '.join(one['hidden'])}", f"  被遮盖：{' '.join(one['hidden'])}"),
        ]
    told = (*store_lines(store), Phrase(f"{count:,} instances in this epoch", f"本轮共 {count:,} 个样本"), *lines)
    length = ("--max-seq-length", settings.max_seq_length) if "max_seq_length" in given else ()
    following = (command("pretrain", settings.path, "--model", "mini", *length),)
    return Outcome({**store_numbers(store), "instances": count, "shown": shown}, told, following)


def _shown(store: TokenStore, batch: PackedBatch, pairs: bool) -> dict[str, Any]:
    """One instance: its pieces with each predicted place in brackets, and the pieces that stood there."""
    pieces = store.vocabulary.pieces
    marked = set(batch.masked_M.tolist())
    words = [f"⟦{pieces[i]}⟧" if row in marked else pieces[i] for row, i in enumerate(batch.ids_T.tolist())]
    return {
        "index": int(batch.order_B[0]),
        "text": " ".join(words),
        "hidden": [pieces[i] for i in batch.labels_M.tolist()],
        "not_next": bool(np.any(batch.targets_B)) if pairs else None,
    }
