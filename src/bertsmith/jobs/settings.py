"""Settings of the jobs that have no room of their own: `quickstart`, `evaluate`, `predict`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.data.settings import TableSettings


@dataclass(frozen=True, kw_only=True)
class QuickstartSettings:
    """The whole main job: raw text, vocabulary, pretraining, fine-tuning, report."""

    output: Path = documented(Path("quickstart"), "folder for everything that is made", "存放全部产物的文件夹")
    corpus: Path | None = documented(
        None,
        "your own text, a file or a folder; empty: documentation that lies on this machine",
        "自己的文本（文件或文件夹）；空则用本机已有的文档",
    )
    labels: Path | None = documented(None, "your own labelled table: csv, tsv or jsonl", "自己的带标签表格：csv、tsv 或 jsonl")
    scale: str = documented(
        "auto",
        "size of the plan; auto measures this machine",
        "方案规模；auto 先测量本机",
        choices=("auto", "full", "half", "quarter", "smoke"),
    )
    seeds: int = documented(3, "how many fine-tuning runs with different seeds", "不同种子的微调次数", low=1, high=20)
    seed: int = documented(0, "seed of every random choice", "一切随机选择的种子", low=0)
    threads: int = documented(0, "processor threads; 0 takes all cores of the quota", "处理器线程数；0 表示用满配额", low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings(TableSettings):
    """Measure a fine-tuned model on a labelled table."""

    model: Path = documented(
        REQUIRED, "a fine-tuned model: a folder, or a name on a hub", "微调后的模型：文件夹，或模型库中的名字", positional=True
    )
    data: Path = documented(REQUIRED, "labelled table: csv, tsv or jsonl", "带标签的表格：csv、tsv 或 jsonl", positional=True)
    output: Path | None = documented(
        None, "run folder for the scores and the report; empty: none is written", "存放得分与报告的运行文件夹；空则不写"
    )
    threads: int = documented(0, "processor threads; 0 takes all cores of the quota", "处理器线程数；0 表示用满配额", low=0)


@dataclass(frozen=True, kw_only=True)
class PredictSettings(TableSettings):
    """Answer texts, or every row of a table, with a fine-tuned model."""

    model: Path = documented(
        REQUIRED, "a fine-tuned model: a folder, or a name on a hub", "微调后的模型：文件夹，或模型库中的名字", positional=True
    )
    source: str = documented(
        REQUIRED,
        "a text, or a file: csv, tsv, jsonl, or txt with a text a line",
        "一段文本，或文件：csv、tsv、jsonl，或一行一段的 txt",
        positional=True,
    )
    second: str = documented("", "the second text where the model judges pairs", "模型判断句对时的第二段文本")
    output: Path | None = documented(None, "file for the answers; empty: they are printed", "存放答案的文件；空则打印")
    threads: int = documented(0, "processor threads; 0 takes all cores of the quota", "处理器线程数；0 表示用满配额", low=0)
