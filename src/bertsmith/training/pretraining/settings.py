"""Settings of `pretrain`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.data.instance_settings import InstanceSettings
from bertsmith.errors import ConfigError
from bertsmith.training.durations import seconds_of
from bertsmith.training.pretraining.phases import LEAST_LENGTH, Phase, phases_of
from bertsmith.training.settings import EngineSettings

SCHEDULES = ("auto", "linear", "cosine", "constant", "google-2018")
OPTIMIZERS = ("adamw", "lamb", "muon")
RECIPES = ("lean", "google-2018")


@dataclass(frozen=True, kw_only=True)
class PretrainSettings(InstanceSettings, EngineSettings):
    """Pretrain a BERT on a token store with masked LM, and with next sentences or the order of sentences."""

    store: Path = documented(REQUIRED, "folder of the token store", "词元库的文件夹", positional=True)
    output: Path = documented(
        Path("pretrained"), "run folder; the model stands in its folder `model`", "运行文件夹；模型位于其中的 model 文件夹"
    )
    model: str = documented(
        "mini",
        "a preset (tiny, mini, small, medium, base, large), a config.json, or a model to go on from: a folder, or a name on a hub",
        "预设名（tiny、mini、small、medium、base、large）、config.json，或要继续训练的模型：文件夹，或模型库中的名字",
    )
    recipe: str = documented(
        "lean",
        "lean: no dropout, AdamW with bias correction, a head that starts at the unigram; google-2018: the paper's, "
        "which also has batches of 256, a learning rate of 1e-4 and a warm-up of 0.01 where none are given",
        "lean：无丢弃、带偏差修正的 AdamW、以一元频率起步的预测头；google-2018：原论文做法，未指定时批大小 256、学习率 1e-4、预热 0.01",
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
    general: Path | None = documented(
        None,
        "a token store of general text with the same vocabulary, measured before, during and after, never trained on: whether a model that "
        "goes on with --model forgets what it knew",
        "通用文本的词元库（同一词表）：训练前、中、后各测一次，从不用于训练，可看出用 --model 继续训练的模型是否遗忘",
    )
    steps: int = documented(10_000, "optimizer steps", "优化步数", low=1, unit="steps")
    budget: str = documented(
        "",
        "wall-clock time of the training loop in place of --steps, such as 2h, 30m or 90s; the steps are planned from the measured speed",
        "训练循环的时长，代替 --steps，如 2h、30m、90s；步数按实测速度规划",
    )
    batch_size: int = documented(
        32, "sequences of a step", "每步的序列数", low=1, unit="sequences", source="assumed; the paper has 256"
    )
    phases: str = documented(
        "",
        "sequence lengths and their shares of the steps in place of --max-seq-length, such as 128:0.9,512:0.1; a later phase has fewer "
        "sequences a step, so that the tokens of a step stay about the same",
        "各阶段的序列长度及其步数占比，代替 --max-seq-length，如 128:0.9,512:0.1；后面的阶段每步序列较少，使每步词元数大致不变",
        source="Devlin 2019, appendix A.2",
    )
    optimizer: str = documented(
        "adamw",
        "adamw: for any batch; lamb: for batches of thousands of sequences; muon: orthogonal momentum for the layers, adamw for the rest",
        "adamw：适合任何批大小；lamb：适合数千序列的批；muon：各层用正交化动量，其余用 adamw",
        choices=OPTIMIZERS,
        source="Loshchilov 2019; You 2020; Jordan 2024",
    )
    schedule: str = documented(
        "auto",
        "how the rate falls after the warm-up; auto is linear for lean, and google-2018 for google-2018; constant falls at the end only",
        "预热后学习率如何下降；auto 对 lean 为 linear，对 google-2018 为 google-2018；constant 只在最后下降",
        choices=SCHEDULES,
    )
    decay_share: float = documented(
        0.2,
        "share of the steps over which --schedule constant falls to 0",
        "--schedule constant 在最后多大比例的步数内降到 0",
        low=0.0,
        high=1.0,
        source="Hägele 2024, section 3.2",
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
    evaluate_every: int = documented(
        500, "steps between two evaluations on held-out text", "两次留出评估之间的步数", low=1, unit="steps"
    )
    evaluation_instances: int = documented(
        512, "held-out instances of an evaluation", "每次评估的留出样本数", low=1, unit="instances"
    )
    save_every: int = documented(500, "steps between two training states", "两次保存训练状态之间的步数", low=1, unit="steps")
    checkpointing: bool = documented(
        False,
        "keep the input of each layer alone and compute its inside again in the backward pass: less memory, a third more time, the same result",
        "只保存每层的输入，反向时重算层内：省内存，多用三分之一时间，结果不变",
        source="Chen 2016",
    )
    compile: bool = documented(
        False,
        "compile the token-wise parts of the layers with torch.compile; needs a C++ compiler, and minutes at the start",
        "用 torch.compile 编译层内逐词元的部分；需要 C++ 编译器，启动时多花几分钟",
    )

    cluster: str = documented(
        "",
        "train on a Ray cluster (extra `cluster`): its address, auto for the one that this machine is part of, or local for one that is "
        "started on this machine; the run folder stands in a folder that all machines see; empty: no cluster",
        "在 Ray 集群上训练（附加组件 `cluster`）：集群地址；auto：本机所属的集群；local：在本机启动一个；运行文件夹须在所有机器可见之处；空：不用集群",
    )
    processes: int = documented(
        0,
        "processes that train together on the cluster; 0: one for each GPU, or for each machine of a cluster without",
        "集群上共同训练的进程数；0：每块 GPU 一个；集群没有 GPU 时每台机器一个",
        low=0,
    )

    def __post_init__(self) -> None:
        times = (self._budget_fault(), self._phases_fault())
        check(self, self.tracker_fault(), *times, self.shares_fault(), self._processes_fault())

    @property
    def budget_seconds(self) -> float | None:
        """The time of the loop, None where the steps are fixed."""
        return seconds_of(self.budget)

    @property
    def phase_list(self) -> tuple[Phase, ...]:
        """The phases of the run, one at least."""
        return phases_of(self.phases) or (Phase(self.max_seq_length, 1.0),)

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence of any phase."""
        return max(phase.length for phase in self.phase_list)

    def _budget_fault(self) -> ConfigError | None:
        if not self.budget or not isinstance(self.budget, str) or seconds_of(self.budget) is not None:
            return None
        return ConfigError(
            "no-time",
            "{field} is {value!r}, which is no stretch of time",
            do="write it as 2h, 30m or 90s",
            field="budget",
            value=self.budget,
        )

    def _processes_fault(self) -> ConfigError | None:
        if not self.processes or self.cluster:
            return None
        return ConfigError(
            "processes-without-cluster",
            "{field} is {value}, and there is no --cluster to start them on",
            do="add --cluster local; or start the command with `torchrun --nproc-per-node {value} -m bertsmith`",
            field="processes",
            value=self.processes,
        )

    def _phases_fault(self) -> ConfigError | None:
        if not self.phases or not isinstance(self.phases, str) or phases_of(self.phases) is not None:
            return None
        return ConfigError(
            "no-phases",
            "{field} is {value!r}, which says no phases",
            do="write lengths of {least} tokens or more, each with its share of the steps, such as 128:0.9,512:0.1; the shares add up to 1",
            field="phases",
            value=self.phases,
            least=LEAST_LENGTH,
        )
