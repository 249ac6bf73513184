"""Settings of `config estimate`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.estimate.gpus import GPUS
from bertsmith.config.fields import REQUIRED, check, documented, nearest
from bertsmith.data.settings import TableSettings
from bertsmith.errors import ConfigError
from bertsmith.training.pretraining.settings import RECIPES

HERE = "here"


@dataclass(frozen=True, kw_only=True)
class ConfigEstimateSettings(TableSettings):
    """What a config costs: parameters, operations, memory, time."""

    model: str = documented(
        REQUIRED, "a preset, a config.json, or a model folder", "预设名、config.json 或模型文件夹", positional=True
    )
    batch_size: int = documented(
        32,
        "sequences of a step",
        "每步的序列数",
        low=1,
        high=2**16,  # the largest with which a BERT was published (You 2020, arXiv 1904.00962)
        unit="sequences",
    )
    max_seq_length: int = documented(
        128, "longest sequence, special tokens included", "最长序列，含特殊词元", low=8, high=65536, unit="tokens"
    )
    data: Path | None = documented(
        None,
        "your data, for its real lengths: a token store, or csv, tsv, jsonl or txt; empty: every sequence has the longest length",
        "用自己的数据取真实长度：词元库，或 csv、tsv、jsonl、txt；空则全部按最长计",
    )
    vocabulary: Path | None = documented(
        None,
        "vocab.txt, tokenizer.json, or a folder that holds one, for texts in --data; empty: that of the model folder",
        "--data 为文本时所用的 vocab.txt、tokenizer.json 或所在文件夹；空则用模型文件夹自带的",
    )
    steps: int = documented(
        10_000,
        "optimizer steps of the run",
        "训练的优化步数",
        low=1,
        high=10**9,  # far beyond any run; assumed
        unit="steps",
    )
    masked_share: float = documented(
        0.15,
        "share of a sequence's tokens to predict",
        "序列中要预测的词元比例",
        low=0.01,
        high=0.9,
        source="Devlin 2019, section 3.1",
    )
    micro_batch_tokens: int = documented(
        8192,
        "a step is computed in pieces of at most this many tokens, as `pretrain` does; it decides the memory",
        "每步按不超过此词元数分块计算（与 pretrain 相同），决定内存用量",
        low=16,
        high=2**32,  # a batch of the greatest size and length
        unit="tokens",
        source="assumed",
    )
    recipe: str = documented(
        "lean",
        "of `pretrain`: lean trains without dropout, google-2018 with that of the config, whose masks take memory",
        "pretrain 的训练方案：lean 不用丢弃；google-2018 按配置丢弃，其掩码占内存",
        choices=RECIPES,
    )
    precision: str = documented("fp32", "number format of the products", "乘法的数值格式", choices=("fp32", "bf16"))
    recompute: bool = documented(
        False,
        "count activation checkpointing: each layer is computed once more instead of being kept",
        "按激活重算（checkpointing）计：各层多算一遍而不保存",
    )
    machine: str = documented(
        "",
        f"whose time is told: empty, none; here, this machine, measured in at most 20 seconds; or a GPU: {', '.join(GPUS)}",
        f"估计哪台机器的时间：空则不估；here 为本机，实测至多 20 秒；或 GPU：{'、'.join(GPUS)}",
    )
    threads: int = documented(
        0,
        "processor threads of this machine; 0 takes all cores of the quota",
        "本机的处理器线程数；0 表示用满配额",
        low=0,
        high=4096,  # far beyond any machine's; assumed
    )
    output: Path | None = documented(
        None, "run folder for the numbers and the report; empty: none is written", "存放数字与报告的运行文件夹；空则不写"
    )

    def __post_init__(self) -> None:
        check(self, self._machine_fault())

    def _machine_fault(self) -> ConfigError | None:
        known = {name.casefold(): name for name in (HERE, *GPUS)}
        if not isinstance(self.machine, str) or not self.machine or self.machine.casefold() in known:
            return None
        return ConfigError(
            "unknown-machine",
            "{field} is {machine!r}, and there is no data sheet of that",
            do="leave it out, use here for this machine, or one of the GPUs {gpus}{nearest}",
            field="machine",
            machine=self.machine,
            gpus=", ".join(GPUS),
            nearest=nearest(self.machine, (HERE, *GPUS)),
        )

    @property
    def gpu(self) -> str | None:
        """The name of the GPU as the table has it, None where none is asked for."""
        return next((name for name in GPUS if name.casefold() == self.machine.casefold()), None)
