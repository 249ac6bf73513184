"""How many processor threads a job without training uses."""

import torch

from bertsmith.machine import cores, keep_freed_pages


def use_threads(wanted: int) -> None:
    """Use `wanted` threads, or all cores of the quota for 0."""
    torch.set_num_threads(wanted or cores())
    keep_freed_pages()
