"""What may be wrong with a pretraining run, as data: by which number a fault shows, the bound, and where the bound comes from.

`before` holds what is asked before step 1, `during` what is asked behind the steps; `watch` tells each finding once. "Provoked runs" are
those of tests/training/test_provoked_faults.py: tiny networks of 300 steps, each with one fault, beside healthy ones in English and Chinese.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bertsmith.messages import Phrase

Facts = TypeVar("Facts")
Values = Mapping[str, object]
CLEAR = 4.0  # standard errors that are no chance: one false alarm in 30,000 looks
FAINT = 3.0  # standard errors below which two means count as equal; healthy text reached 12 and more in every sample


@dataclass(frozen=True)
class Symptom(Generic[Facts]):
    """One thing that may be wrong.

    Args:
        code: stable name of the finding.
        english: the sentence, with named values; behind an arrow stands what to do.
        source: where the bound comes from.
        shows: the values of the sentence where it is so, else None.
        alarm: False for what is told because people ask, and is as it should be.
    """

    code: str
    english: str
    source: Phrase
    shows: Callable[[Facts], Values | None]
    alarm: bool = True
