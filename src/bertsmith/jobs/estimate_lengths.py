"""The lengths of real sequences for `config estimate`: of a token store as pretraining cuts it, or of texts as fine-tuning does."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bertsmith.errors import DataError
from bertsmith.jobs.estimate_settings import ConfigEstimateSettings
from bertsmith.messages import Phrase
from bertsmith.progress import Listener

if TYPE_CHECKING:
    from bertsmith.text.vocabulary import Vocabulary

SAMPLED = 4096  # instances of a store whose lengths stand for all; the error of their mean is below one token
_VOCABULARIES = ("vocab.txt", "tokenizer.json")


@dataclass(frozen=True)
class Lengths:
    """Lengths of sequences, special tokens included, and where they come from."""

    lengths: tuple[int, ...]
    source: Phrase
    vocab_size: int | None = None

    @property
    def mean(self) -> float:
        """The mean length."""
        return sum(self.lengths) / len(self.lengths)


def lengths_of(settings: ConfigEstimateSettings, listen: Listener) -> Lengths:
    """The lengths that the settings name; all the longest where there is no data.

    Raises:
        DataError: the data cannot be read, or they are texts and there is no vocabulary.
    """
    longest = settings.max_seq_length
    if settings.data is None:
        return Lengths((longest,), Phrase(f"every sequence {longest} long", f"所有序列长度均为 {longest}"))
    if not settings.data.exists():
        raise DataError(
            "no-such-data",
            "there is no such file or folder",
            where=settings.data,
            do="give --data a token store, which is a folder made by `bertsmith prepare`, or a csv, tsv, jsonl or txt file",
        )
    return _of_store(settings, settings.data) if settings.data.is_dir() else _of_texts(settings, settings.data, listen)


def _of_store(settings: ConfigEstimateSettings, folder: Path) -> Lengths:
    """Lengths of the first instances of an epoch, which stand in a random order."""
    import numpy as np  # here, because an estimate without data needs neither arrays nor tokenizers

    from bertsmith.data.instance_recipe import objective_of, training_instances
    from bertsmith.data.instance_settings import InstanceSettings
    from bertsmith.data.token_store import TokenStore

    store = TokenStore.open(folder)
    wished = InstanceSettings(max_seq_length=settings.max_seq_length, masked_share=settings.masked_share)
    instances = training_instances(wished, store, objective_of(wished, store))
    count = instances.count(0)
    batch = instances.batch(0, range(min(count, SAMPLED)))
    lengths = tuple(np.diff(batch.cu_seqlens).tolist())
    source = Phrase(
        f"{len(lengths):,} of {count:,} instances of {folder}", f"{folder} 的 {count:,} 个样本中的 {len(lengths):,} 个"
    )
    return Lengths(lengths, source, store.vocabulary.size)


def _of_texts(settings: ConfigEstimateSettings, path: Path, listen: Listener) -> Lengths:
    from bertsmith.data.encoded import encode
    from bertsmith.data.table_columns import infer_columns
    from bertsmith.data.tables import read_table, read_text_lines
    from bertsmith.text.wordpiece import WordPiece

    vocabulary = _vocabulary(settings, path)
    if path.suffix.lower() == ".txt":
        table = read_text_lines(path, settings, listen)
        texts, pairs = table.column("text"), None
    else:
        table = read_table(path, settings, listen)
        columns = infer_columns(table, settings, listen=listen)
        texts = table.column(columns.text)
        pairs = None if columns.pair is None else table.column(columns.pair)
    encoded = encode(WordPiece(vocabulary), texts, pairs, settings.max_seq_length)
    lengths = tuple(len(ids) for ids in encoded.ids)
    cut = f"{encoded.cut_share:.1%}"
    source = Phrase(
        f"{len(lengths):,} texts of {path}, {cut} of them cut to {settings.max_seq_length}",
        f"{path} 的 {len(lengths):,} 条文本，其中 {cut} 截断到 {settings.max_seq_length}",
    )
    return Lengths(lengths, source, vocabulary.size)


def _vocabulary(settings: ConfigEstimateSettings, path: Path) -> "Vocabulary":
    from bertsmith.text.vocabulary import read_vocabulary

    own = Path(settings.model)
    if settings.vocabulary is not None:
        return read_vocabulary(settings.vocabulary)
    if own.is_dir() and any((own / name).is_file() for name in _VOCABULARIES):
        return read_vocabulary(own)
    raise DataError(
        "lengths-need-vocabulary",
        "{data} holds texts, and without a vocabulary their lengths are unknown",
        do="give --vocabulary a vocab.txt, a tokenizer.json or a folder with one, or take a model folder that has its own",
        data=path,
    )
