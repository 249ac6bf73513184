"""The tables of an estimate: the same ones for the terminal and for the report."""

from dataclasses import fields
from typing import Any

from bertsmith.config.estimate.flops import Flops
from bertsmith.config.estimate.memory import Precision
from bertsmith.config.estimate.memory_textbook import Attention, TextbookMemory
from bertsmith.config.estimate.milestones import MILESTONES
from bertsmith.config.estimate.parameters import Parameters
from bertsmith.config.estimate.whole import Estimate
from bertsmith.messages import Phrase
from bertsmith.records.page import Cell, Table

MIB = 2**20
PARAMETERS = {
    "words": Phrase("word table", "词嵌入表"),
    "positions": Phrase("position table", "位置表"),
    "segments": Phrase("segment table", "句段表"),
    "embedding_norm": Phrase("embedding norm", "嵌入归一化"),
    "attention": Phrase("attention, all layers", "注意力（各层）"),
    "feed_forward": Phrase("feed-forward, all layers", "前馈（各层）"),
    "norms": Phrase("norms, all layers", "归一化（各层）"),
    "pooler": Phrase("pooler", "池化层"),
    "masked_lm": Phrase("masked LM head", "掩码语言模型头"),
    "next_sentence": Phrase("next-sentence head", "下一句头"),
}
OPERATIONS = {
    "projections": Phrase("attention: projections", "注意力：投影"),
    "scores": Phrase("attention: scores", "注意力：得分"),
    "feed_forward": Phrase("feed-forward", "前馈"),
    "pooler": Phrase("pooler", "池化层"),
    "masked_lm": Phrase("masked LM head", "掩码语言模型头"),
    "next_sentence": Phrase("next-sentence head", "下一句头"),
}
MEMORY = {
    "libraries": Phrase("Python and libraries", "Python 与各库"),
    "weights": Phrase("weights", "权重"),
    "gradients": Phrase("gradients", "梯度"),
    "moments": Phrase("moments of AdamW", "AdamW 的矩"),
    "casts": Phrase("bf16 copies of weights", "权重的 bf16 副本"),
    "layers": Phrase("activations of layers", "各层激活"),
    "head": Phrase("masked LM head", "掩码语言模型头"),
    "working": Phrase("short-lived tensors", "临时张量"),
    "slack": Phrase("holes of the allocator", "分配器空洞"),
}
CUDA = {
    "context": Phrase("CUDA context (assumed)", "CUDA 上下文（假定）"),
    "states": Phrase("weights, gradients, moments", "权重、梯度、矩"),
    "layers": Phrase("activations of layers", "各层激活"),
    "head": Phrase("logits of every token", "全部词元的 logits"),
}
_TOTAL = Phrase("total", "合计")
_SHARE = Phrase("share", "占比")
VARIANTS = {
    (Attention.EAGER, False): Phrase("eager attention", "普通注意力"),
    (Attention.FUSED, False): Phrase("fused attention", "融合注意力"),
    (Attention.EAGER, True): Phrase("eager, checkpointing", "普通注意力＋重算"),
    (Attention.FUSED, True): Phrase("fused, checkpointing", "融合注意力＋重算"),
}


def parameter_table(counts: Parameters) -> Table:
    """Parameters of each part and of the whole."""
    rows: list[tuple[Cell, ...]] = [
        (name, getattr(counts, part), _share(getattr(counts, part), counts.pretraining)) for part, name in PARAMETERS.items()
    ]
    rows += [
        (Phrase("encoder and pooler", "编码器与池化层"), counts.encoder, _share(counts.encoder, counts.pretraining)),
        (Phrase("total with both heads", "合计（含两个头）"), counts.pretraining, "100.0%"),
    ]
    columns = (Phrase("part", "部分"), Phrase("parameters", "参数"), _SHARE)
    return Table(Phrase("Parameters (exact)", "参数（准确值）"), columns, tuple(rows), len(rows) - 1)


def operation_table(found: Estimate) -> Table:
    """Operations of the forward pass part by part, and of a training step beside the padded one."""
    columns = (
        Phrase("part", "部分"),
        Phrase("GFLOP a step", "GFLOP/步"),
        Phrase("a sequence", "每序列"),
        Phrase("MFLOP a token", "MFLOP/词元"),
        _SHARE,
    )
    rows = [_operations(OPERATIONS[part.name], getattr(found.forward, part.name), found) for part in fields(Flops)]
    whole = found.training.total
    rows += [
        _operations(Phrase("forward", "前向"), found.forward.total, found),
        _operations(Phrase("training step", "训练一步"), whole, found, whole),
        _operations(
            Phrase("the same padded, head on every row", "同上，但补齐、且对每行算头"),
            found.padded_training.total,
            found,
            whole,
        ),
    ]
    caption = Phrase(
        "One multiplication with its addition counts as 2; matrix products only. The last row is what transformers computes for the "
        "same sequences, a token being a real one.",
        "一次乘加计 2；只计矩阵乘法。最后一行是 transformers 对同样序列的计算量，按真实词元平均。",
    )
    return Table(
        Phrase("Operations (exact for these lengths)", "运算量（对这些长度是准确值）"),
        columns,
        tuple(rows),
        len(rows) - 2,
        caption,
    )


def _operations(name: Phrase, value: float, found: Estimate, whole: float | None = None) -> tuple[Cell, ...]:
    work = found.work
    cells = (value / 1e9, value / 1e9 / work.sequences, value / 1e6 / work.tokens)
    return (name, *(round(cell, 3) for cell in cells), _share(value, found.forward.total if whole is None else whole))


def memory_table(found: Estimate, precision: Precision) -> Table:
    """Memory of our own training on a processor."""
    memory = found.memory
    rows: list[tuple[Cell, ...]] = [
        (name, round(getattr(memory, part) / MIB), _share(getattr(memory, part), memory.total))
        for part, name in MEMORY.items()
        if getattr(memory, part)
    ]
    rows.append((_TOTAL, round(memory.total / MIB), "100.0%"))
    tokens = f"{found.micro.tokens:,.0f}"
    caption = Phrase(
        f"The fullest moment of `bertsmith pretrain` in {precision.name}, with {tokens} tokens in the largest micro-batch. Within 10% of "
        "the measured peak for tiny to base; libraries and holes are constants measured with torch 2.13 and glibc 2.36.",
        f"`bertsmith pretrain` 以 {precision.name} 训练时占用最多的时刻，最大的一块有 {tokens} 个词元。对 tiny 至 base，与实测峰值相差不超过 10%；各库与空洞两项为 "
        "torch 2.13、glibc 2.36 上实测的常数。",
    )
    columns = (Phrase("part", "部分"), Phrase("MiB", "MiB"), _SHARE)
    return Table(
        Phrase("Memory of training on a processor", "在处理器上训练的内存"), columns, tuple(rows), len(rows) - 1, caption
    )


def cuda_table(found: Estimate, gpu_memory: int | None) -> Table:
    """Memory of PyTorch's usual way on a CUDA GPU."""
    rows: list[tuple[Cell, ...]] = [
        (CUDA[part.name], *(round(getattr(found.cuda[variant], part.name) / MIB) for variant in VARIANTS))
        for part in fields(TextbookMemory)
    ]
    rows.append((_TOTAL, *(round(found.cuda[variant].total / MIB) for variant in VARIANTS)))
    count, longest = int(found.micro.sequences), found.lengths[-1]
    fits = Phrase("", "") if gpu_memory is None else _what_fits(found, gpu_memory)
    caption = Phrase(
        f"PyTorch with padding: {count} sequences of {longest} tokens in memory at once. After Korthikanti et al. 2022; not measured here.{fits.en}",
        f"PyTorch 补齐方式：同时有 {count} 条长 {longest} 的序列。公式依 Korthikanti 等 2022；未在此实测。{fits.zh}",
    )
    columns = (Phrase("MiB", "MiB"), *VARIANTS.values())
    return Table(Phrase("Memory of training on a CUDA GPU", "在 CUDA GPU 上训练的显存"), columns, tuple(rows), None, caption)


def _what_fits(found: Estimate, gpu_memory: int) -> Phrase:
    """Which ways fit into so many decimal gigabytes."""
    fitting = [name for variant, name in VARIANTS.items() if found.cuda[variant].total < gpu_memory * 1e9]
    if len(fitting) == len(VARIANTS):
        return Phrase(f" All of them fit into {gpu_memory} GB.", f"{gpu_memory} GB 显存均放得下。")
    if not fitting:
        return Phrase(
            f" None of them fits into {gpu_memory} GB: lower --micro-batch-tokens.",
            f"{gpu_memory} GB 显存均放不下：请减小 --micro-batch-tokens。",
        )
    en, zh = "; ".join(name.en for name in fitting), "、".join(name.zh for name in fitting)
    return Phrase(f" Into {gpu_memory} GB fit: {en}.", f"{gpu_memory} GB 显存放得下：{zh}。")


def inference_table(found: Estimate) -> Table:
    """Memory of encoding texts."""
    parts = {
        "libraries": MEMORY["libraries"],
        "weights": Phrase("weights of the encoder", "编码器权重"),
        "working": Phrase("one layer at work", "单层计算所需"),
    }
    kinds = tuple(found.inference)
    rows: list[tuple[Cell, ...]] = [
        (name, *(round(getattr(found.inference[kind], part) / MIB) for kind in kinds)) for part, name in parts.items()
    ]
    rows.append((_TOTAL, *(round(found.inference[kind].total / MIB) for kind in kinds)))
    columns = (Phrase("MiB", "MiB"), *(Phrase(kind.name, kind.name) for kind in kinds))
    tokens = f"{found.micro.tokens:,.0f}"
    caption = Phrase(f"{tokens} tokens in a batch, without padding.", f"每批 {tokens} 个词元，不补齐。")
    return Table(Phrase("Memory of inference on a processor", "在处理器上推理的内存"), columns, tuple(rows), None, caption)


def milestone_table(found: Estimate, step_seconds: float | None) -> Table:
    """Tokens, steps and time to something useful."""
    rows: list[tuple[Cell, ...]] = []
    for stone in MILESTONES:
        steps = max(round(stone.tokens / found.work.tokens), 1)
        time = () if step_seconds is None else (duration(steps * step_seconds),)
        rows.append((stone.name, stone.tokens / 1e6, steps, *time, stone.source))
    times = () if step_seconds is None else (Phrase("time", "时间"),)
    columns = (
        Phrase("what others reached", "他人达到的程度"),
        Phrase("million tokens", "百万词元"),
        Phrase("steps of yours", "折合步数"),
        *times,
        Phrase("source", "来源"),
    )
    caption = Phrase(
        "Rough: text, size and recipe decide as well, and a larger network leaves the plateau later.",
        "仅供参考：文本、大小与方案同样起决定作用；网络越大，离开平台期越晚。",
    )
    return Table(Phrase("Tokens to something useful", "达到可用所需的词元数"), columns, tuple(rows), None, caption)


def duration(seconds: float) -> Phrase:
    """A time for a reader: 0.4 s, 12 min, 3.5 h, 20 days, 4 years."""
    units = ((365.25 * 86400, "years", "年"), (86400, "days", "天"), (3600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))
    for size, en, zh in units:
        if seconds >= 2 * size:
            return Phrase(f"{seconds / size:,.3g} {en}", f"{seconds / size:,.3g} {zh}")
    return (
        Phrase(f"{seconds:.2g} s", f"{seconds:.2g} 秒")
        if seconds >= 0.1
        else Phrase(f"{1e3 * seconds:.2g} ms", f"{1e3 * seconds:.2g} 毫秒")
    )


def numbers_of(found: Any) -> dict[str, float]:
    """The fields of a dataclass of numbers, and its total where it has one."""
    told = {part.name: getattr(found, part.name) for part in fields(found)}
    return {**told, "total": found.total} if hasattr(found, "total") else told


def _share(value: float, total: float) -> str:
    return f"{100 * value / total:.1f}%"
