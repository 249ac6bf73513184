"""Small texts and tables that the pages work on: made from a few words, the same on every machine."""

import csv
import json
import random
from pathlib import Path

ENGLISH = (
    [
        "the old harbour",
        "a small ship",
        "our captain",
        "the morning wind",
        "a grey gull",
        "the lighthouse",
        "a tired sailor",
        "the young cook",
    ],
    ["waits for", "follows", "remembers", "watches", "carries", "leaves", "never finds"],
    [
        "the quiet sea",
        "a letter from home",
        "the northern coast",
        "seven barrels",
        "the last lantern",
        "an old map",
        "the empty island",
    ],
)
CHINESE = (
    ["老船长", "小渔船", "清晨的风", "灯塔", "灰海鸥", "年轻的厨师"],
    ["等待", "跟着", "记得", "看见", "离开", "寻找"],
    ["平静的海", "远方的信", "北方的岸", "最后一盏灯", "旧地图", "空荡荡的岛"],
)


def sentence(dice, words, end):
    joined = (" " if end == "." else "").join(dice.choice(part) for part in words)
    return joined[0].upper() + joined[1:] + end


def write_samples(folder: Path) -> None:
    """Write what the pages call their own files: `my_texts/`, `my_labels.csv`, `zh_texts/`, `reviews_gbk.csv` …"""
    dice = random.Random(0)
    for name, words, end in (("my_texts", ENGLISH, "."), ("zh_texts", CHINESE, "。")):
        (folder / name).mkdir(parents=True)
        for number in range(30):
            blank = " " if end == "." else ""
            paragraphs = [blank.join(sentence(dice, words, end) for _ in range(5)) for _ in range(4)]
            (folder / name / f"{number:02}.txt").write_text("\n".join(paragraphs) + "\n", encoding="utf-8")
    lines = [sentence(dice, ENGLISH, ".") for _ in range(400)]
    (folder / "articles.jsonl").write_text(
        "".join(json.dumps({"body": " ".join(lines[first : first + 8])}) + "\n" for first in range(0, 400, 8)), encoding="utf-8"
    )
    _write_table(
        folder / "my_labels.csv",
        "utf-8",
        ("text", "label"),
        _judged(dice, ENGLISH, (" a fine evening", " a dull evening"), ("good", "bad")),
    )
    _write_table(
        folder / "new_texts.csv", "utf-8", ("id", "text"), [(str(number), line) for number, line in enumerate(lines[:9])]
    )
    _write_table(
        folder / "reviews_gbk.csv", "gb18030", ("评论", "情感"), _judged(dice, CHINESE, ("很好看", "太难看"), ("正面", "负面"))
    )


def _judged(dice, words, ends, labels):
    """Sixty texts with one of two labels, no text twice."""
    end = "." if words is ENGLISH else "。"
    rows = [(sentence(dice, words, end) + ends[number % 2] + f" {number}", labels[number % 2]) for number in range(60)]
    dice.shuffle(rows)
    return rows


def _write_table(path, encoding, header, rows):
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
