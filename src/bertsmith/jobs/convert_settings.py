"""Settings of `convert` and `inspect`."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.config.fields import REQUIRED, check, documented
from bertsmith.config.gelu import GELUS
from bertsmith.data.instance_settings import InstanceSettings

KINDS = ("huggingface", "google", "google-tf2", "keras", "transformers-h5", "pytorch")
_KIND = (
    "which checkpoint, where a folder holds several; auto prefers safetensors, then TensorFlow's, Keras's and pickles",
    "文件夹含多个检查点时取哪一个；auto 依次优先 safetensors、TensorFlow、Keras、pickle",
)
_GELU = (
    "which gelu it is, whatever a file says or bertsmith recorded: erf, tanh, or Google's code of 2018 (erf) or since 2019 (tanh); auto: what is recorded or stated, else a rule that is told",
    "gelu 的形式，优先于文件所写与 bertsmith 的记录：erf、tanh，或谷歌 2018 年的代码（erf）、2019 年起的代码（tanh）；auto：取已记录或写明的，否则按规则并说明",
)
_VOCAB_SIZE = ("pieces of the vocabulary, where the config does not say it", "配置未写明时词表的大小")


@dataclass(frozen=True, kw_only=True)
class ConvertSettings:
    """From any checkpoint of a BERT to any other."""

    source: Path = documented(
        REQUIRED,
        "what to convert: a folder, a file of weights, TensorFlow's prefix (bert_model.ckpt), or a name on a hub",
        "要转换的内容：文件夹、权重文件、TensorFlow 前缀（bert_model.ckpt），或模型库中的名字",
        positional=True,
    )
    target: Path = documented(REQUIRED, "folder for the result", "存放结果的文件夹", positional=True)
    to: str = documented(
        "huggingface", "form of the result", "结果的格式", choices=tuple(kind for kind in KINDS if kind != "pytorch")
    )
    kind: str = documented("auto", *_KIND, choices=("auto", *KINDS))
    gelu: str = documented("auto", *_GELU, choices=GELUS)
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, unit="pieces")
    vocabulary: Path | None = documented(
        None,
        "vocab.txt or tokenizer.json that belongs to the model; empty: the one beside the weights",
        "模型的 vocab.txt 或 tokenizer.json；空则用权重旁边的",
    )
    verify: bool = documented(
        False,
        "run both ends on the same texts, with the program that the form belongs to where it is installed, and tell the differences",
        "在相同文本上运行两端（若装有该格式所属的程序则用它），并给出差异",
    )
    peer_python: str = documented(
        "", "Python interpreter that has that program; empty: this one", "装有该程序的 Python 解释器；空则用当前的"
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class InspectSettings(InstanceSettings):
    """What a folder is: masked instances of a token store and their statistics, or the parts of a model of any kind."""

    path: Path = documented(
        REQUIRED,
        "a token store, or a model: a folder, a file of weights, or a name on a hub",
        "词元库，或模型：文件夹、权重文件、模型库中的名字",
        positional=True,
    )
    count: int = documented(5, "how many instances of a store to show", "展示词元库样本的数量", low=1)
    epoch: int = documented(0, "epoch that the instances are of", "样本所属的轮次", low=0)
    first: int = documented(0, "number of the first instance", "第一个样本的序号", low=0)
    sampled: int = documented(
        2000,  # the standard error of a share is then at most 1.1 %
        "instances, from the first of the epoch on, that the statistics are of",
        "用于统计的样本数，从本轮第一个样本起",
        low=1,
        unit="instances",
    )
    report: Path | None = documented(
        None, "html file for the statistics with their charts; empty: none", "存放统计图表的 html 文件；空则不写"
    )
    gelu: str = documented("auto", *_GELU, choices=GELUS)
    vocab_size: int | None = documented(None, *_VOCAB_SIZE, low=8, unit="pieces")

    def __post_init__(self) -> None:
        check(self, self.shares_fault())
