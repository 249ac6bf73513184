"""Settings of `prepare` and `inspect`, and of every job that reads a labelled table."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.text.settings import CorpusSettings


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(CorpusSettings):
    """Turn raw text into a token store."""

    vocabulary: Path = documented(
        REQUIRED, "vocab.txt, tokenizer.json, or a folder that holds one", "vocab.txt、tokenizer.json，或含有它们的文件夹"
    )
    output: Path = documented(Path("store"), "folder of the token store", "词元库的文件夹")
    held_out: float = documented(
        0.01, "share of the documents kept for evaluation only", "仅用于评估的文档比例", low=0.0, high=0.5
    )
    repeated_lines: str = documented(
        "keep",
        "what to do with a line that stood in the text before; thousands of repeats keep a model from learning",
        "如何处理重复出现的行；成千上万的重复行会妨碍学习",
        choices=("keep", "drop"),
        source="google-research/bert issue 746",
    )
    shard_tokens: int = documented(
        2**26,
        "tokens of a shard; a shard ends with the document that fills it",
        "每个分片的词元数；装满分片的那篇文档为其最后一篇",
        low=1000,
        unit="tokens",
    )
    seed: int = documented(0, "seed of the choice of held-out documents", "选取留出文档的随机种子", low=0)


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """How a labelled table is read: shared by `finetune`, `evaluate` and `predict`."""

    text: str = documented("", "column of the text; empty: inferred", "文本所在的列；空则推断")
    pair: str = documented("", "column of the second text of a pair; empty: inferred", "句对中第二段文本的列；空则推断")
    label: str = documented("", "column of the label; empty: inferred", "标签所在的列；空则推断")
    encoding: str = documented(
        "auto", "encoding of the table, such as utf-8 or gb18030; auto finds it", "表格编码，如 utf-8、gb18030；auto 自动识别"
    )
    separator: str = documented(
        "auto",
        "what stands between two fields of a csv",
        "csv 中字段之间的分隔符",
        choices=("auto", "comma", "tab", "semicolon", "pipe"),
    )

    def __post_init__(self) -> None:
        check(self)
