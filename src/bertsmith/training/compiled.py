"""The part of a layer that is done to each token alone, compiled by torch.compile; attention, whose shapes differ from batch to batch, is not.

Whether it pays depends on the machine. It is asked for, never chosen, and never left out silently: a missing compiler is an error.
"""

from functools import partial

import torch

from bertsmith.errors import MachineError, UsageError
from bertsmith.messages import Phrase
from bertsmith.models.bert.encoder import Bert, Layer

_COMPILERS = {
    "cpu": Phrase("a C++ compiler (g++ or clang++)", "C++ 编译器（g++ 或 clang++）"),
    "cuda": Phrase("Triton", "Triton"),
}


def compile_layers(bert: Bert, device: str) -> None:
    """Let every layer of an encoder use one compiled function for any number of tokens; it is compiled when it is first used.

    Raises:
        UsageError: the layers drop out; torch.compile cannot draw our masks of 16 bits, and its own would be others.
        MachineError: there is no compiler for the device.
    """
    if bert.config.hidden_dropout_prob:
        raise UsageError(
            "compiled-dropout",
            "--compile is for networks without dropout, and this one drops {share} of its hidden values",
            do="use --recipe lean, set hidden_dropout_prob to 0, or leave out --compile",
            share=bert.config.hidden_dropout_prob,
        )
    if not _has_compiler(device):
        raise MachineError(
            "no-compiler",
            "--compile needs {compiler}, and there is none",
            do="install it, or leave out --compile",
            compiler=_COMPILERS[device],
        )
    # fullgraph: what cannot be compiled, and layers that differ too much for one function, are errors and not slow
    compiled = torch.compile(Layer.feed_forward, dynamic=True, fullgraph=True)
    for layer in bert.layers:
        assert isinstance(layer, Layer)
        layer.__dict__["feed_forward"] = partial(compiled, layer)  # in front of the class's own


def _has_compiler(device: str) -> bool:
    if device == "cuda":
        from torch.utils._triton import has_triton

        return has_triton()
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        return bool(get_cpp_compiler())
    except RuntimeError:
        return False
