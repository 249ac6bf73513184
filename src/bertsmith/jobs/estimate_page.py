"""The report of an estimate: pictures of where parameters, operations and bytes go, and the tables."""

from collections.abc import Sequence

from bertsmith.config.estimate.flops import Flops
from bertsmith.config.estimate.whole import Estimate
from bertsmith.jobs.estimate_tables import CUDA, MIB, VARIANTS
from bertsmith.messages import Phrase
from bertsmith.records.page import Bar, Bars, Page, Section, Table

_PARAMETERS, _FLOP, _MIB = Phrase("parameters", "个参数"), Phrase("FLOP", "FLOP"), Phrase("MiB", "MiB")


def page_of(title: Phrase, summary: Phrase, found: Estimate, tables: Sequence[Table]) -> Page:
    """The page of an estimate."""
    pictures = (where_it_goes(found), bytes_of_training(found), bytes_on_gpu(found))
    return Page(
        title,
        summary,
        (
            Section(Phrase("Where it goes", "花在哪里"), pictures),
            Section(Phrase("The numbers", "具体数字"), tuple(tables)),
        ),
    )


def where_it_goes(found: Estimate) -> Bars:
    """Parameters and operations by the same parts."""
    counts, work = found.parameters, found.training
    parts = (
        Phrase("embeddings", "嵌入"),
        Phrase("attention: projections", "注意力：投影"),
        Phrase("attention: scores", "注意力：得分"),
        Phrase("feed-forward", "前馈"),
        Phrase("pooler and norms", "池化与归一化"),
        Phrase("heads", "预训练头"),
    )

    def operations(name: Phrase, flops: Flops) -> Bar:
        heads = flops.masked_lm + flops.next_sentence
        return Bar(name, (0, flops.projections, flops.scores, flops.feed_forward, flops.pooler, heads), _FLOP)

    sizes = (
        counts.embeddings,
        counts.attention,
        0,
        counts.feed_forward,
        counts.pooler + counts.norms,
        counts.masked_lm + counts.next_sentence,
    )
    bars = (
        Bar(Phrase("parameters", "参数"), sizes, _PARAMETERS),
        operations(Phrase("a training step", "训练一步"), work),
        operations(Phrase("the same padded, head on every row", "同上，但补齐、且对每行算头"), found.padded_training),
    )
    caption = Phrase(
        "Looking up embeddings is no product; the head's product is with the word table, which the embeddings own.",
        "查嵌入表不是乘法；预训练头与词嵌入表相乘，而该表计入嵌入。",
    )
    return Bars(Phrase("Parameters and operations", "参数与运算量"), parts, bars, "own", caption)


def bytes_of_training(found: Estimate) -> Bars:
    """Memory of our own training and of inference."""
    memory = found.memory
    parts = (
        Phrase("Python and libraries", "Python 与各库"),
        Phrase("weights", "权重"),
        Phrase("gradients", "梯度"),
        Phrase("moments", "矩"),
        Phrase("activations", "激活"),
        Phrase("short-lived and holes", "临时张量与空洞"),
    )
    kept = memory.layers + memory.head
    ours = (
        memory.libraries,
        memory.weights + memory.casts,
        memory.gradients,
        memory.moments,
        kept,
        memory.working + memory.slack,
    )
    bars = [Bar(Phrase("training", "训练"), _mib(ours), _MIB)]
    for kind, inference in found.inference.items():
        name = Phrase(f"inference, {kind.name}", f"推理，{kind.name}")
        bars.append(Bar(name, _mib((inference.libraries, inference.weights, 0, 0, 0, inference.working)), _MIB))
    return Bars(Phrase("Bytes on a processor", "处理器上的内存"), parts, tuple(bars), "common")


def bytes_on_gpu(found: Estimate) -> Bars:
    """Memory of PyTorch's usual way on a CUDA GPU."""
    bars = tuple(
        Bar(name, _mib([getattr(found.cuda[variant], part) for part in CUDA]), _MIB) for variant, name in VARIANTS.items()
    )
    return Bars(
        Phrase("Bytes of training on a CUDA GPU, with padding", "CUDA GPU 上训练的显存（补齐）"),
        tuple(CUDA.values()),
        bars,
        "common",
    )


def _mib(sizes: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(size / MIB, 2) for size in sizes)
