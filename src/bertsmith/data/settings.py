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
    duplicates: str = documented(
        "keep",
        "what to do with a document that was read before, sentence for sentence",
        "如何处理逐句相同的重复文档",
        choices=("keep", "drop"),
        source="Lee et al. 2022, deduplicating training data makes language models better",
    )
    exclude: Path | None = documented(
        None,
        "file or folder of evaluation texts (csv, tsv, jsonl, parquet, text) that no model may be trained on: sentences that share a run "
        "of 13 tokens with them, or equal a shorter one, are dropped",
        "不得用于训练的评测文本（csv、tsv、jsonl、parquet、文本）所在的文件或文件夹：与之共有连续 13 个词元、或等于其中更短文本的句子会被去掉",
        source="Brown et al. 2020, appendix C",
    )
    words: str = documented(
        "auto",
        "who finds the words among Chinese characters, for whole-word masking: jieba (extra `chinese`) or nobody; auto takes jieba for text that "
        "is mostly Chinese, where it is installed",
        "由谁切分中文词（用于全词掩码）：jieba（附加组件 `chinese`）或不切分；auto：文本以中文为主且已安装 jieba 时使用",
        choices=("auto", "none", "jieba"),
    )
    workers: int = documented(
        0,
        "processes that encode; 0 takes all cores of the machine or cluster, 1 starts none here; the store is the same for any number",
        "编码进程数；0 使用本机或集群的全部核心，1 在本机不另启进程；无论多少，词元库都相同",
        low=0,
    )
    cluster: str = documented(
        "",
        "encode on a Ray cluster (extra `cluster`): its address, auto for the one that this machine is part of, or local for one that is "
        "started on this machine; empty: no cluster",
        "在 Ray 集群上编码（附加组件 `cluster`）：集群地址；auto：本机所属的集群；local：在本机启动一个；空：不用集群",
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
