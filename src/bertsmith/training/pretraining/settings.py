"""Settings of `pretrain`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, documented
from bertsmith.training.settings import EngineSettings

RECIPES = ("lean", "google-2018")
OBJECTIVES = ("auto", "mlm+nsp", "mlm")


@dataclass(frozen=True, kw_only=True)
class PretrainSettings(EngineSettings):
    """Pretrain a BERT on a token store with masked LM and next-sentence prediction."""

    store: Path = documented(REQUIRED, "folder of the token store", "词元库的文件夹", positional=True)
    output: Path = documented(
        Path("pretrained"), "run folder; the model stands in its folder `model`", "运行文件夹；模型位于其中的 model 文件夹"
    )
    model: str = documented(
        "mini",
        "a preset (tiny, mini, small, medium, base, large), a config.json, or a model to go on from: a folder, or a name on a hub",
        "预设名（tiny、mini、small、medium、base、large）、config.json，或要继续训练的模型：文件夹，或模型库中的名字",
    )
    objective: str = documented(
        "auto",
        "what is learned; auto takes both where there are two documents or more",
        "训练目标；文档不少于两篇时 auto 取两者",
        choices=OBJECTIVES,
        source="Devlin 2019, section 3.1",
    )
    recipe: str = documented(
        "lean",
        "lean: no dropout, AdamW with bias correction, a head that starts at the unigram; google-2018: the paper's",
        "lean：无丢弃、带偏差修正的 AdamW、以一元频率起步的预测头；google-2018：原论文做法",
        choices=RECIPES,
        source="Devlin 2019, appendix A.2",
    )
    first_weights: str = documented(
        "normal",
        "normal: drawn at random; neighbours: positions start as sines and most heads look at near tokens, which shortens the plateau of a short run",
        "normal：随机抽取；neighbours：位置以正弦起步、多数注意力头先看邻近词元，可缩短短时训练的平台期",
        choices=("normal", "neighbours"),
        source="after Trockman and Kolter 2023",
    )
    steps: int = documented(10_000, "optimizer steps", "优化步数", low=1, unit="steps")
    batch_size: int = documented(
        32, "sequences of a step", "每步的序列数", low=1, unit="sequences", source="assumed; the paper has 256"
    )
    max_seq_length: int = documented(
        128,
        "longest sequence, special tokens included",
        "最长序列，含特殊词元",
        low=8,
        high=65536,
        unit="tokens",
        source="Devlin 2019, appendix A.2",
    )
    learning_rate: float = documented(
        5e-4,
        "peak learning rate; small networks want more than the paper's 1e-4",
        "学习率峰值；小模型需高于论文的 1e-4",
        low=0.0,
        high=1.0,
        source="assumed",
    )
    warmup: float = documented(
        0.06, "share of the steps in which the rate rises", "学习率上升阶段占总步数的比例", low=0.0, high=1.0
    )
    weight_decay: float = documented(
        0.01,
        "decay of everything but biases and LayerNorm",
        "权重衰减，偏置与 LayerNorm 除外",
        low=0.0,
        high=1.0,
        source="Devlin 2019, appendix A.2",
    )
    clip_norm: float = documented(
        1.0, "the gradient's norm is cut to this", "梯度范数的上限", low=0.0, source="google-research/bert, optimization.py"
    )
    masked_share: float = documented(
        0.15,
        "share of a sequence's tokens to predict",
        "序列中要预测的词元比例",
        low=0.01,
        high=0.9,
        source="Devlin 2019, section 3.1",
    )
    short_share: float = documented(
        0.1,
        "share of the documents with a random, shorter target length",
        "采用随机较短目标长度的文档比例",
        low=0.0,
        high=1.0,
        source="google-research/bert, create_pretraining_data.py",
    )
    evaluate_every: int = documented(
        500, "steps between two evaluations on held-out text", "两次留出评估之间的步数", low=1, unit="steps"
    )
    evaluation_instances: int = documented(
        512, "held-out instances of an evaluation", "每次评估的留出样本数", low=1, unit="instances"
    )
    save_every: int = documented(500, "steps between two training states", "两次保存训练状态之间的步数", low=1, unit="steps")
    seed: int = documented(0, "seed of every random choice", "一切随机选择的种子", low=0)
