"""Settings of `finetune`: the split and the recipe."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.data.settings import TableSettings
from bertsmith.training.settings import EngineSettings

TASKS = ("auto", "classify", "classify-pairs")


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings(TableSettings, EngineSettings):
    """Fine-tune a BERT on a labelled table and measure it."""

    data: Path = documented(
        REQUIRED, "table of the training examples: csv, tsv or jsonl", "训练样本表：csv、tsv 或 jsonl", positional=True
    )
    model: Path = documented(
        REQUIRED, "model to start from: a folder, or a name on a hub", "起点模型：文件夹，或模型库中的名字"
    )
    output: Path = documented(
        Path("finetuned"), "run folder; the model stands in its folder `model`", "运行文件夹；模型位于其中的 model 文件夹"
    )
    dev: Path | None = documented(
        None, "table of the dev examples; empty: split from the training table", "开发集表格；空则从训练表中划分"
    )
    test: Path | None = documented(
        None, "table of the test examples; empty: split from the training table", "测试集表格；空则从训练表中划分"
    )
    task: str = documented(
        "auto",
        "what is asked: the class of a text or of a pair; auto infers it from the columns",
        "任务：文本分类或句对分类；auto 由列推断",
        choices=TASKS,
    )
    split: str = documented(
        "stratified",
        "how dev and test are taken out of one table; duplicates stay on one side, `group` also keeps rows with the same --group together",
        "如何从一张表划出开发集与测试集；重复文本总在同一侧，group 还让 --group 列相同的行同侧",
        choices=("stratified", "random", "group"),
    )
    group: str = documented("", "column that --split group keeps together", "--split group 保持同侧的列")
    dev_share: float = documented(
        0.1, "share of the rows for dev where there is no dev table", "无开发集表格时划作开发集的比例", low=0.01, high=0.5
    )
    test_share: float = documented(
        0.1, "share of the rows for test where there is no test table", "无测试集表格时划作测试集的比例", low=0.01, high=0.5
    )
    initial: str = documented(
        "pretrained",
        "start from the model's weights, or from random ones of the same shape",
        "从模型权重开始，或从同形状的随机权重开始",
        choices=("pretrained", "scratch"),
    )
    max_length: int = documented(
        128,
        "longest sequence; longer texts are cut, and the share of cut ones is reported",
        "最长序列；更长的文本被截断，并报告截断比例",
        low=8,
        high=65536,
        unit="tokens",
    )
    epochs: int = documented(
        4, "passes over the training examples", "遍历训练样本的次数", low=1, unit="passes", source="Turc 2019"
    )
    batch_size: int = documented(
        32, "examples of a step", "每步样本数", low=1, unit="examples", source="Devlin 2019, appendix A.3"
    )
    learning_rate: float = documented(
        1e-4,
        "peak learning rate; base models want 2e-5 to 5e-5, tiny ones up to 1e-3",
        "学习率峰值；base 宜 2e-5 至 5e-5，tiny 可至 1e-3",
        low=0.0,
        high=1.0,
        source="Turc 2019: 3e-5 to 3e-4",
    )
    warmup: float = documented(
        0.1,
        "share of the steps in which the rate rises",
        "学习率上升阶段占总步数的比例",
        low=0.0,
        high=1.0,
        source="Mosbach 2021",
    )
    weight_decay: float = documented(
        0.01, "decay of everything but biases and LayerNorm", "权重衰减，偏置与 LayerNorm 除外", low=0.0, high=1.0
    )
    clip_norm: float = documented(1.0, "the gradient's norm is cut to this", "梯度范数的上限", low=0.0)
    dropout: float = documented(
        0.1,
        "dropout of every kind while fine-tuning",
        "微调时各处的丢弃比例",
        low=0.0,
        high=0.9,
        source="Devlin 2019, appendix A.3",
    )
    seeds: int = documented(3, "how many runs with different seeds", "不同随机种子的运行次数", low=1, high=100)
    seed: int = documented(0, "the first seed; the next runs count up from it", "第一个种子，其后依次加一", low=0)
    baselines: str = documented(
        "all",
        "what stands beside the score: majority and TF-IDF with logistic regression, or nothing",
        "对照：多数类与 TF-IDF 逻辑回归，或不做对照",
        choices=("all", "none"),
    )

    def __post_init__(self) -> None:
        check(self, self.tracker_fault())
