"""A model that goes on with its own vocabulary, or grows by the pieces that the token store's vocabulary has more.

A new row of the word table is the mean of the rows of its old pieces, what the old vocabulary cuts the new piece into (Koto et al. 2021,
who found that pretraining gets five times faster so). Where the old vocabulary cannot write it, the mean of all ordinary
rows (Hewitt 2021: random rows near zero would take all of the probability, since trained logits are far below zero).

The logit of such a row is the mean of the logits of its old pieces, so a new piece would be as likely as they are, though it occurs less
often than any of them did. Its bias makes up for that: b = mean over the old pieces of (b_i + log(f / f_i)), with f how often the new piece
occurs in the token store, and f_i how often the old piece would, had the text been cut in the old way; each count has one added.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertsmith.checkpoints.folder import Checkpoint
from bertsmith.config.bert import BertConfig
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, note, warning
from bertsmith.text.extension import Cutter, is_unused
from bertsmith.text.vocabulary import Vocabulary
from bertsmith.training.pretraining.baselines import log_frequencies

TABLE, BIAS = "bert.embeddings.word_embeddings.weight", "cls.predictions.bias"
_NOTHING = Phrase("nothing", "无")


def vocabulary_fault(config: BertConfig, old: Vocabulary | None, store: TokenStore, where: Path) -> ConfigError | None:
    """What keeps a model or a config from reading the store's tokens; None where the vocabulary is the same, or an extension.

    Args:
        config: the sizes.
        old: the vocabulary of the model, None where it is not known; then only its size can be compared.
        store: the token store.
        where: the model's folder or the config's file.
    """
    new = store.vocabulary
    if old is None:
        if config.vocab_size == new.size:
            return None
        return ConfigError(
            "vocabulary-size",
            "the config is for {config} pieces and the store's vocabulary has {store}",
            where=where,
            do="set vocab_size to {store}, or prepare the text with the vocabulary of this model",
            config=config.vocab_size,
            store=new.size,
        )
    for number, piece in enumerate(old.pieces):
        other = new.pieces[number] if number < new.size else None
        if other != piece and (other is None or not is_unused(piece)):
            return ConfigError(
                "another-vocabulary",
                "the token store was prepared with another vocabulary than the model's: piece {number} is {ours} in the model and {theirs} "
                "in the store",
                where=where,
                do="run `bertsmith prepare` again with --vocabulary {model}, or with an extension of it from `bertsmith vocab --extend`",
                number=number,
                ours=repr(piece),
                theirs=_NOTHING if other is None else repr(other),
                model=where,
            )
    return None


def grown(checkpoint: Checkpoint, store: TokenStore, listen: Listener) -> Checkpoint:
    """The checkpoint with a row and a bias for every piece of the store's vocabulary; the old rows as they were.

    Args:
        checkpoint: a model whose vocabulary has no `vocabulary_fault`; one without a vocabulary comes back as it is.
        store: the token store; the new pieces are counted in its training text.
        listen: told what was added, and when case and accents were treated in another way than the model's.
    """
    old, new = checkpoint.vocabulary, store.vocabulary
    if old is None:
        return checkpoint
    if _treatment(old) != _treatment(new):
        listen(
            warning(
                "prepared-otherwise",
                "the text was prepared as {theirs} and the model's vocabulary says {ours}: its pieces occur in other places than the model "
                "knows",
                theirs=str(_treatment(new)),
                ours=str(_treatment(old)),
            )
        )
    ids = [number for number, piece in enumerate(new.pieces) if number >= old.size or piece != old.pieces[number]]
    if not ids:
        return checkpoint
    cut = Cutter(piece for piece in old.pieces if not is_unused(piece))
    made_of = [[old.ids[piece] for piece in cut.of_piece(new.pieces[number])] for number in ids]
    arrays = dict(checkpoint.arrays)
    rows = max(len(arrays[TABLE]), new.size)
    ordinary = [n for n, piece in enumerate(old.pieces) if n not in old.special_ids and not is_unused(piece)]
    arrays[TABLE] = _with(arrays[TABLE], rows, ids, _means(arrays[TABLE], made_of, ordinary))
    if BIAS in arrays:
        corrected = _biases(arrays[BIAS], log_frequencies(store), ids, made_of, ordinary)
        arrays[BIAS] = _with(arrays[BIAS], rows, ids, corrected)
    listen(
        note(
            "vocabulary-grown",
            "{count} new pieces: {mean} rows begin as the mean of their old pieces, {other}, which the old vocabulary cannot write, as the "
            "mean of all; the word table has {rows} rows, {before} before",
            count=len(ids),
            mean=sum(map(bool, made_of)),
            other=len(ids) - sum(map(bool, made_of)),
            rows=rows,
            before=len(checkpoint.arrays[TABLE]),
        )
    )
    return replace(checkpoint, config=checkpoint.config.replace(vocab_size=rows), arrays=arrays, vocabulary=new, slots={})


def _treatment(vocabulary: Vocabulary) -> tuple[str, ...]:
    """How texts are made ready for a vocabulary, as words."""
    folds = vocabulary.lowercase if vocabulary.strip_accents is None else vocabulary.strip_accents
    return (
        "lowercase" if vocabulary.lowercase else "cased",
        "accents stripped" if folds else "accents kept",
        "Chinese characters apart" if vocabulary.split_chinese else "Chinese characters together",
    )


def _with(array: NDArray[np.float32], rows: int, ids: Sequence[int], values: NDArray[np.floating]) -> NDArray[np.float32]:
    larger = np.zeros((rows, *array.shape[1:]), np.float32)
    larger[: len(array)] = array
    larger[ids] = values
    return larger


def _means(table_VD: NDArray[np.float32], made_of: Sequence[Sequence[int]], ordinary: Sequence[int]) -> NDArray[np.float64]:
    """The mean row of each group of old pieces, that of all ordinary ones where a group is empty."""
    of_all_D = table_VD[ordinary].mean(0, dtype=np.float64)
    return np.array([table_VD[old].mean(0, dtype=np.float64) if old else of_all_D for old in made_of])


def _biases(
    bias_V: NDArray[np.float32],
    log_p_V: NDArray[np.float64],
    ids: Sequence[int],
    made_of: Sequence[Sequence[int]],
    ordinary: Sequence[int],
) -> NDArray[np.float64]:
    """The bias of each new piece."""
    before_V = np.exp(log_p_V)
    for number, old in zip(ids, made_of):
        np.add.at(before_V, old, np.exp(log_p_V[number]))
    relative_V = bias_V[: len(log_p_V)] - np.log(before_V[: len(bias_V)])
    of_all = relative_V[ordinary].mean()
    return np.array([log_p_V[number] + (relative_V[old].mean() if old else of_all) for number, old in zip(ids, made_of)])
