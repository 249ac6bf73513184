"""The time of a step: measured on this machine, or reckoned for a GPU from its data sheet."""

from dataclasses import asdict, dataclass
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass
from bertsmith.config.estimate.gpus import BANDWIDTH_REACHED, GPUS, REACHED, gpu_step
from bertsmith.config.estimate.memory import Precision
from bertsmith.config.estimate.whole import Estimate
from bertsmith.jobs.estimate_lengths import Lengths
from bertsmith.jobs.estimate_settings import HERE, ConfigEstimateSettings
from bertsmith.jobs.estimate_tables import duration
from bertsmith.messages import Phrase
from bertsmith.progress import Listener
from bertsmith.records.page import Cell, Table


@dataclass(frozen=True)
class Time:
    """Seconds of a step, where they come from, and everything that was measured or assumed."""

    step_seconds: float
    source: Phrase
    numbers: dict[str, Any]


def time_of(settings: ConfigEstimateSettings, found: Estimate, lengths: Lengths, listen: Listener) -> Time | None:
    """The time on the machine that the settings name, None where none is named."""
    precision = Precision[settings.precision]
    if settings.gpu is not None:
        return _on_gpu(settings.gpu, found, precision, recompute=settings.recompute)
    return _here(settings, found.config, lengths, listen) if settings.machine.casefold() == HERE else None


def time_table(time: Time, found: Estimate, steps: int) -> Table:
    """Time of a step and of the run, and the throughput."""
    rows: tuple[tuple[Cell, ...], ...] = (
        (Phrase("a step", "一步"), duration(time.step_seconds)),
        (Phrase(f"{steps:,} steps", f"{steps:,} 步"), duration(steps * time.step_seconds)),
        (Phrase("tokens a second", "词元/秒"), _whole(found.work.tokens / time.step_seconds)),
        (Phrase("sequences a second", "序列/秒"), _whole(found.work.sequences / time.step_seconds)),
    )
    return Table(Phrase("Time", "时间"), (Phrase("what", "项目"), Phrase("estimate", "估计")), rows, 1, time.source)


def _on_gpu(name: str, found: Estimate, precision: Precision, *, recompute: bool) -> Time:
    gpu = GPUS[name]
    step = gpu_step(found.config, found.work, gpu, precision, Pass.RECOMPUTED if recompute else Pass.TRAINING)
    kind = "fp32" if precision is Precision.fp32 else "bf16" if gpu.has_bf16 else "fp16"
    peak = gpu.fp32 if precision is Precision.fp32 else gpu.half
    share, band = f"{REACHED[precision]:.0%}", f"{BANDWIDTH_REACHED:.0%}"
    source = Phrase(
        f"{name} by the maker's data sheet: {peak:g} TFLOP/s in {kind}, {gpu.bandwidth_gb:,} GB/s. Assumed: {share} of the first and "
        f"{band} of the second are reached, and no step is shorter than the launching of its kernels. Without padding; not measured.",
        f"{name} 据厂商规格：{kind} {peak:g} TFLOP/s，{gpu.bandwidth_gb:,} GB/s。假定：前者达到 {share}、后者达到 {band}，"
        "且一步不短于发起其全部内核的时间。不补齐；未实测。",
    )
    numbers = {"gpu": name, "data_sheet": asdict(gpu), "format": kind, "seconds": asdict(step)}
    return Time(step.total, source, numbers | {"reached": REACHED[precision], "bandwidth_reached": BANDWIDTH_REACHED})


def _here(settings: ConfigEstimateSettings, config: BertConfig, lengths: Lengths, listen: Listener) -> Time:
    from bertsmith.machine import cores  # here, because only a measurement needs the framework
    from bertsmith.training.precision import Engine
    from bertsmith.training.pretraining.probe import probe

    threads = settings.threads or cores()
    measured = probe(
        config,
        lengths.lengths,
        batch_size=settings.batch_size,
        micro_batch_tokens=settings.micro_batch_tokens,
        masked_share=settings.masked_share,
        engine=Engine("cpu", settings.precision, threads),
        listen=listen,
    )
    top, reached = f"{measured.ceiling / 1e9:,.0f}", f"{measured.reached:.0%}"
    how = (
        Phrase(
            f"median of {measured.steps} real steps of {measured.tokens:,} tokens",
            f"{measured.steps} 个真实步（每步 {measured.tokens:,} 个词元）的中位数",
        )
        if measured.steps
        else Phrase("too slow for a real step: from the ceiling alone", "太慢，无法实测一步：仅由上限推算")
    )
    source = Phrase(
        f"This machine with {threads} threads, {how.en}; large products run at {top} GFLOP/s, and the step reaches {reached} of that.",
        f"本机 {threads} 线程，{how.zh}；大矩阵乘法为 {top} GFLOP/s，训练步达到其 {reached}。",
    )
    return Time(measured.step_seconds, source, {"threads": threads, **asdict(measured)})


def _whole(value: float) -> Phrase:
    text = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    return Phrase(text, text)
