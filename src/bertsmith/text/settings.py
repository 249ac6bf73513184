"""Settings of `vocab`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented

DOCUMENTS = ("auto", "file", "title", "blank-line", "line")
LINES = ("auto", "sentence", "paragraph", "wrapped")


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """How raw text is read: shared by every job that reads a corpus."""

    corpus: Path = documented(
        REQUIRED, "a text file, a jsonl file, or a folder of them", "文本文件、jsonl 文件，或装有它们的文件夹", positional=True
    )
    documents: str = documented(
        "auto",
        "what is a document: a file, what follows a `= Title =` line, a block between blank lines, or a line; auto infers it per file",
        "什么是一篇文档：一个文件、一个 `= 标题 =` 行之后的内容、空行之间的一块，或一行；auto 逐文件推断",
        choices=DOCUMENTS,
    )
    lines: str = documented(
        "auto",
        "what is a line: a sentence, a paragraph, or a piece of a hard-wrapped paragraph; auto infers it per file",
        "一行是什么：一句、一段，或硬换行段落的一截；auto 逐文件推断",
        choices=LINES,
    )
    text_field: str = documented("text", "field of a jsonl line that holds the text", "jsonl 每行中存放文本的字段")
    encoding: str = documented(
        "auto", "encoding of the files, such as utf-8 or gb18030; auto finds it", "文件编码，如 utf-8、gb18030；auto 自动识别"
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class VocabSettings(CorpusSettings):
    """Learn a WordPiece vocabulary from raw text, or extend one."""

    output: Path = documented(
        Path("vocabulary"), "folder for vocab.txt and tokenizer.json", "存放 vocab.txt 与 tokenizer.json 的文件夹"
    )
    size: int = documented(
        30522,
        "number of pieces, special ones included",
        "词片总数，含特殊词片",
        low=100,
        high=1_000_000,
        unit="pieces",
        source="Google's English uncased vocabulary",
    )
    lowercase: bool = documented(True, "fold case and strip accents", "转小写并去掉重音符号", source="Google's uncased models")
    min_frequency: int = documented(2, "a piece must occur this often", "词片至少出现的次数", low=1)
    extend: Path | None = documented(
        None,
        "a vocabulary to keep and to add pieces to: a model folder, vocab.txt or tokenizer.json; it decides case and accents, --add the size",
        "要保留并扩充的词表：模型文件夹、vocab.txt 或 tokenizer.json；大小写与重音由它决定，大小由 --add 决定",
    )
    add: int = documented(
        1000,
        "with --extend, how many pieces are added: those that save most tokens on the text",
        "配合 --extend：加入多少个词片，取在此文本上最省词元者",
        low=1,
        high=1_000_000,
        unit="pieces",
        source="assumed",
    )
    into_unused: bool = documented(
        False,
        "with --extend, put the new pieces into the [unused] slots of the vocabulary, so that the word table of a model keeps its size",
        "配合 --extend：把新词片放进词表的 [unused] 空位，模型的词表矩阵大小不变",
        source="Chau 2020",
    )
