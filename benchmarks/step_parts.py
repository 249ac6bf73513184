"""What each part of our pretraining step is worth, tokens a second with the part and with the usual way in its place, and where the time goes.

The step is that of `pretraining_step.py`: 16 × 128 random tokens, vocabulary of 30,522, dropout 0.1. Each variant takes one part away
and runs in a process of its own, in turn. A part whose ratio lies below 1 is not worth its lines on this machine.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from peers import in_turn, median_rate, record, sizes_and_rounds
from pretraining_step import batches_of, ours

ALLOCATOR = "allocator"  # the part that is taken away by not asking for it
KINDS = {  # what an operator of the profile counts as
    "products": ("mm", "addmm", "bmm", "mv", "addmv", "addmm_", "addmm_out"),
    "activation": ("gelu", "gelu_backward", "tanh", "tanh_backward"),
    "softmax and loss": ("_softmax", "_softmax_backward_data", "_log_softmax", "exp_", "gather", "amax", "nll_loss_forward"),
    "norms": ("native_layer_norm", "native_layer_norm_backward"),
    "dropout and scaling": ("random_", "ge", "mul", "mul_"),
    "sums and copies": (
        "add",
        "add_",
        "copy_",
        "sum",
        "index_select",
        "index_add_",
        "cat",
        "fill_",
        "zero_",
        "index",
        "index_put_",
    ),
    "optimizer": ("_fused_adamw_", "linalg_vector_norm"),
}


def main() -> None:
    sizes, rounds = sizes_and_rounds(__doc__, worker, "mini,small", quick=1)
    claims: list[tuple[str, float, float]] = []
    measured: dict[str, Any] = {}
    for size in sizes:
        shares = where_the_time_goes({"size": size, "bf16": False, "tuned": True})
        print(f"{size}: " + ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items()))
        names = ("whole", *PARTS, ALLOCATOR)
        variants = [{"name": name, "size": size, "bf16": False, "tuned": name != ALLOCATOR} for name in names]
        rates = in_turn(__file__, variants, rounds)
        medians = {name: statistics.median(values) for name, values in rates.items()}
        measured[size] = {"tokens_per_second": rates, "shares": shares}
        claims += [(f"{size} {name}".replace(" ", "-"), medians["whole"] / medians[name], 1.0) for name in names[1:]]
    record("step_parts", {"batch": 16, "length": 128, "vocabulary": 30522, "dropout": 0.1}, measured, claims)


def worker(variant: dict[str, Any]) -> float:
    """Tokens a second without one part."""
    if variant["name"] in PARTS:
        PARTS[variant["name"]]()
    return median_rate(prepared(variant), least_seconds=5.0)


def prepared(variant: dict[str, Any]) -> Callable[[], int]:
    import torch

    from bertsmith.machine import cores, keep_freed_pages

    torch.set_num_threads(cores())
    torch.set_flush_denormal(True)
    if variant["tuned"]:
        keep_freed_pages()
    step: Callable[[], int] = ours(variant, batches_of(variant))
    return step


def where_the_time_goes(variant: dict[str, Any]) -> dict[str, float]:
    """Share of the step's time by kind of operator, from torch's profiler."""
    from torch.profiler import ProfilerActivity, profile

    step = prepared(variant)
    step()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(3):
            step()
    kinds = {f"aten::{name}": kind for kind, names in KINDS.items() for name in names}
    seconds: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        seconds[kinds.get(event.key, "the rest")] += event.self_cpu_time_total
    total = sum(seconds.values())
    return {kind: seconds[kind] / total for kind in sorted(seconds, key=lambda kind: -seconds[kind])}


def _head_in_one_product() -> None:
    from bertsmith.models.bert import losses

    losses._COLUMNS = 2**30


def _loss_by_autograd() -> None:
    from torch import Tensor
    from torch.nn import functional

    from bertsmith.models.bert import heads
    from bertsmith.models.bert.losses import Loss

    def loss(hidden_MD: Tensor, table_VD: Tensor, bias_V: Tensor, labels_M: Tensor, weight: float) -> Loss:
        logits_MV = functional.linear(hidden_MD, table_VD, bias_V)
        value = functional.cross_entropy(logits_MV, labels_M, reduction="sum") * weight
        return Loss(value, (logits_MV.argmax(1) == labels_M).sum())

    heads.masked_lm_loss = loss


def _rows_by_autograd() -> None:
    from torch.nn import functional

    from bertsmith.models.bert import embeddings

    embeddings.look_up = lambda table_VD, ids_T: functional.embedding(ids_T, table_VD)


def _dropout_by_floats() -> None:
    import torch

    from bertsmith.models.bert import attention, dropout

    def drawn(shape: torch.Size, p: float, like: torch.Tensor) -> torch.Tensor:
        return torch.empty(shape, dtype=like.dtype).bernoulli_(1 - p).div_(1 - p)

    attention.draw_kept = dropout.draw_kept = drawn


def _fused_attention() -> None:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from bertsmith.models.bert import attention
    from bertsmith.models.bert.pack import Pack

    def attend(qkv_T3D: torch.Tensor, pack: Pack, heads: int, p: float) -> torch.Tensor:
        (group,) = pack.groups  # 16 sequences of one length
        q, k, v = qkv_T3D.view(group.count, group.length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(q, k, v, dropout_p=p)
        return mixed.transpose(1, 2).reshape(len(qkv_T3D), -1)

    attention.attend = attend


PARTS: dict[str, Callable[[], None]] = {
    "head in blocks of columns": _head_in_one_product,
    "loss in its own buffer": _loss_by_autograd,
    "gradient of touched rows": _rows_by_autograd,
    "dropout of 16 bits": _dropout_by_floats,
    "attention written out": _fused_attention,
}


if __name__ == "__main__":
    main()
