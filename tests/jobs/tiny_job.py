"""Texts, tables and sizes so small that the whole job takes seconds, and the command line run in this process."""

import contextlib
import io
import json
import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

from bertsmith.cli.main import main

SIZES = {
    "model_type": "bert",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
ENGINE = ("--threads", "1")
QUICK = (*ENGINE, "--precision", "fp32")
LENGTH = ("--max-seq-length", "48")
TUNING = (*QUICK, "--seeds", "2", "--epochs", "1", "--max-length", "32", "--learning-rate", "1e-3")

ENGLISH = (
    ("the cat", "a dog", "my friend", "the teacher", "our neighbour", "a small bird"),
    ("eats", "sees", "likes", "finds", "carries", "paints"),
    ("the apple", "a red house", "the long road", "some bread", "a good book", "his song"),
    ("today.", "in the morning.", "near the sea.", "after dinner.", "for many years."),
)
CHINESE = (
    ("小猫", "这只狗", "我的朋友", "老师", "邻居", "一只小鸟"),
    ("喜欢", "看见", "找到", "画了", "带着", "忘记"),
    ("苹果", "红房子", "很长的路", "面包", "一本好书", "他的歌"),
    ("在今天。", "在早上。", "在海边。", "在晚饭后。", "很多年。"),
)
OPINIONS = {"en": ("it is wonderful and good", "it is terrible and bad"), "zh": ("真的很好很满意", "实在太差很失望")}


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def bertsmith(*words, language="en"):
    """Run one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, words), "--language", language])
    return Answer(code, out.getvalue(), err.getvalue())


def done(*words, language="en"):
    """Run one command that must succeed."""
    answer = bertsmith(*words, language=language)
    assert answer.code == 0, answer.err
    return answer


def sentence(choose, language):
    parts = [choose.choice(words) for words in (ENGLISH if language == "en" else CHINESE)]
    return " ".join(parts) if language == "en" else "".join(parts)


def write_corpus(folder, language="en", documents=16):
    """A folder of documents of eight short sentences."""
    choose = random.Random(7)
    folder.mkdir(parents=True)
    between = " " if language == "en" else ""
    for number in range(documents):
        lines = [between.join(sentence(choose, language) for _ in range(4)) for _ in range(2)]
        (folder / f"{number:02}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def labelled(language="en", rows=40):
    """Texts whose label is plain from their last words."""
    choose, names = random.Random(3), {"en": ("pos", "neg"), "zh": ("好评", "差评")}[language]
    comma = ", " if language == "en" else "，"
    return [
        (f"{sentence(choose, language)[:-1]}{comma}{OPINIONS[language][row % 2]} {row}", names[row % 2]) for row in range(rows)
    ]


def write_table(path, header, rows, encoding="utf-8"):
    """A csv with every field in quotes."""
    lines = [",".join(header), *(",".join(f'"{field}"' for field in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def write_config(path, pieces):
    """A config.json as transformers has it."""
    path.write_text(json.dumps({**SIZES, "vocab_size": pieces}), encoding="utf-8")
    return path


def pieces_of(vocabulary: Path) -> int:
    return len((vocabulary / "vocab.txt").read_text(encoding="utf-8").splitlines())


def block_network(patch):
    """Let every way out of the machine fail; the attempts are listed, because a library may hide the failure."""
    attempts = []

    def refuse(*arguments, **named):
        attempts.append((os.environ.get("PYTEST_CURRENT_TEST", ""), arguments, named))
        raise OSError("the network is blocked")

    for name in ("connect", "connect_ex", "sendto"):
        patch(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        patch(socket, name, refuse)
    return attempts
