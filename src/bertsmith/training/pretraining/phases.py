"""Phases of one run with sequences of different lengths, as the paper's 128 for nine tenths of the steps and 512 for the rest.

Optimizer, step and schedule go on over the border; only the instances change. A phase has a seed of its own, so that an instance is a
pure function of (seed, phase, epoch, index), and the first phase has the run's: a run of one phase is a run without phases. The steps of
a later phase hold about as many tokens as those of the first: their sequences are fewer in the proportion of the lengths.
"""

from dataclasses import dataclass

LEAST_LENGTH = 8
_EXACT = 1e-6  # the shares may miss 1 by as much, so that thirds can be written


@dataclass(frozen=True)
class Phase:
    """One phase: its longest sequence in tokens, and its share of the steps."""

    length: int
    share: float


def phases_of(text: str) -> tuple[Phase, ...] | None:
    """The phases of `128:0.9,512:0.1`; None where the text is none, or the shares do not add up to 1."""
    try:
        pairs = [part.split(":") for part in text.split(",")]
        phases = tuple(Phase(int(length), float(share)) for length, share in pairs)
    except ValueError:
        return None
    fit = all(phase.length >= LEAST_LENGTH and phase.share > 0 for phase in phases)
    return phases if fit and abs(sum(phase.share for phase in phases) - 1) <= _EXACT else None


def first_steps(phases: tuple[Phase, ...], steps: int) -> list[int]:
    """The step with which each phase begins."""
    return [round(steps * sum(phase.share for phase in phases[:number])) for number in range(len(phases))]


def batch_sizes(phases: tuple[Phase, ...], batch_size: int) -> list[int]:
    """Sequences of a step in each phase: `batch_size` in the first, and about as many tokens in the later ones."""
    return [max(1, round(batch_size * phases[0].length / phase.length)) for phase in phases]


def seed_of(seed: int, number: int) -> int:
    """The seed of a phase's instances; the first phase has the run's."""
    from bertsmith.seeds import bits  # here, because settings read phases and must not wait for numpy

    return seed if number == 0 else int(bits(seed, "phase", number) >> 2)
