"""Time of a training step on a named GPU, from the maker's data sheet and shares of it that are assumed.

Products run at a share of the peak; activations and states pass through memory at a share of the bandwidth; and no step is shorter than
the launching of its kernels, which is all that a small network's step is.
"""

from dataclasses import dataclass

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.memory import FP32, Precision, kept_by_layers
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work

REACHED = {Precision.fp32: 0.6, Precision.bf16: 0.35}  # share of the peak that products of a BERT reach; assumed
BANDWIDTH_REACHED = 0.7  # assumed
PASSES = 4  # over what a layer keeps: written, read, and its gradient written and read; assumed
STATE_BYTES = 36  # a parameter and step: AdamW reads four fp32 numbers and writes three, zeroing and the norm touch one each
KERNELS_OF_A_LAYER, KERNELS_OUTSIDE = 100, 150  # launches of a step, forward and backward; assumed
LAUNCH = 6e-6  # seconds; assumed


@dataclass(frozen=True)
class Gpu:
    """What the maker's data sheet says; without sparsity.

    Args:
        fp32: TFLOP/s outside the tensor cores.
        half: TFLOP/s of bf16, or of fp16 where there is no bf16, summed in fp32.
        has_bf16: whether `half` is bf16.
        memory_gb: decimal gigabytes.
        bandwidth_gb: decimal gigabytes a second.
    """

    fp32: float
    half: float
    has_bf16: bool
    memory_gb: int
    bandwidth_gb: int


# source: NVIDIA's data sheets, and the GA102 and AD102 white papers for the two RTX
GPUS = {
    "T4": Gpu(8.1, 65.0, False, 16, 320),
    "V100": Gpu(15.7, 125.0, False, 32, 900),
    "A10": Gpu(31.2, 125.0, True, 24, 600),
    "L4": Gpu(30.3, 121.0, True, 24, 300),
    "L40S": Gpu(91.6, 362.0, True, 48, 864),
    "A100-40": Gpu(19.5, 312.0, True, 40, 1555),
    "A100-80": Gpu(19.5, 312.0, True, 80, 2039),
    "H100-PCIe": Gpu(51.0, 756.0, True, 80, 2000),
    "H100-SXM": Gpu(67.0, 989.0, True, 80, 3350),
    "H200": Gpu(67.0, 989.0, True, 141, 4800),
    "RTX-3090": Gpu(35.6, 71.0, True, 24, 936),
    "RTX-4090": Gpu(82.6, 165.2, True, 24, 1008),
}


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step, by what takes them.

    Args:
        products: matrix products.
        traffic: activations, weights, gradients and moments on their way through memory.
        launches: what the launching of the kernels takes at least.
    """

    products: float
    traffic: float
    launches: float

    @property
    def total(self) -> float:
        """The predicted time: the launches overlap with the work."""
        return max(self.products + self.traffic, self.launches)


def gpu_step(config: BertConfig, work: Work, gpu: Gpu, precision: Precision, which: Pass) -> StepTime:
    """A training step on one GPU.

    Args:
        config: the sizes.
        work: all sequences of the step.
        gpu: the data sheet.
        precision: fp32 outside the tensor cores, or bf16 (fp16 where there is no bf16).
        which: a training step, or one with recomputation.
    """
    peak = (gpu.fp32 if precision is Precision.fp32 else gpu.half) * 1e12
    activations = PASSES * kept_by_layers(config, work, precision)
    logits = PASSES * FP32 * config.vocab_size * work.predicted
    states = STATE_BYTES * parameters(config).pretraining
    return StepTime(
        products=flops(config, work, which).total / (peak * REACHED[precision]),
        traffic=(activations + logits + states) / (gpu.bandwidth_gb * 1e9 * BANDWIDTH_REACHED),
        launches=LAUNCH * (KERNELS_OUTSIDE + KERNELS_OF_A_LAYER * config.num_hidden_layers),
    )
