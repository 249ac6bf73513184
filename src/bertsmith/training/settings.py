"""Settings of the engine that every training job shares: where and in which numbers a step is computed."""

from dataclasses import dataclass

from bertsmith.config.fields import check, documented, nearest
from bertsmith.errors import ConfigError

PRECISIONS = ("auto", "fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda")
TRACKERS = ("tensorboard", "mlflow", "wandb")


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How a step is computed; none of it changes what is learned, but for rounding."""

    micro_batch_tokens: int = documented(
        8192,
        "a step is computed in pieces of at most this many tokens; it changes memory, not the result",
        "每步按不超过此词元数分块计算；只影响内存，不影响结果",
        low=16,
        unit="tokens",
        source="assumed",
    )
    precision: str = documented(
        "auto", "number format of the products; auto measures first", "乘法的数值格式；auto 先测量再决定", choices=PRECISIONS
    )
    device: str = documented(
        "auto",
        "where to compute; auto takes a CUDA GPU where there is one",
        "计算设备；有 CUDA GPU 时 auto 选用它",
        choices=DEVICES,
    )
    threads: int = documented(0, "processor threads; 0 takes all cores of the quota", "处理器线程数；0 表示用满配额", low=0)
    allow_inexact: bool = documented(
        False,
        "go on although versions, threads or kernels differ from those of the start",
        "即使版本、线程或算子与开始时不同也继续",
    )

    tracker: str = documented(
        "",
        "whom to tell what is logged, besides the run folder: one or more of tensorboard, mlflow and wandb, with commas between them",
        "除运行文件夹外，还把日志写给谁：tensorboard、mlflow、wandb 中的一个或多个，以逗号分隔",
    )

    def __post_init__(self) -> None:
        check(self, self.tracker_fault())

    @property
    def trackers(self) -> tuple[str, ...]:
        """The names of the trackers, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.tracker.split(",") if name.strip()))

    def tracker_fault(self) -> ConfigError | None:
        """What is wrong with the names of the trackers."""
        unknown = [name for name in self.trackers if name not in TRACKERS] if isinstance(self.tracker, str) else []
        if not unknown:
            return None
        return ConfigError(
            "unknown-tracker",
            "{field} names {unknown}, which is none",
            do="use one or more of {choices}, with commas between them{nearest}",
            field="tracker",
            unknown=", ".join(unknown),
            choices=", ".join(TRACKERS),
            nearest=nearest(unknown[0], TRACKERS),
        )
