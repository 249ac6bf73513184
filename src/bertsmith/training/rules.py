"""The ways of updating weights that a run can choose from."""

from enum import StrEnum

from torch import nn

from bertsmith.training.lamb import Lamb
from bertsmith.training.muon import Muon
from bertsmith.training.optimizer import AdamW, Flavour, Optimizer


class Rule(StrEnum):
    """Which optimizer: AdamW, AdamW as google-research/bert has it, LAMB, or Muon."""

    ADAMW = "adamw"
    ADAMW_GOOGLE_2018 = "adamw-google-2018"
    LAMB = "lamb"
    MUON = "muon"


def optimizer_of(rule: Rule, model: nn.Module, weight_decay: float) -> Optimizer:
    """The optimizer of a network, whose parameters become views of its rows."""
    match rule:
        case Rule.LAMB:
            return Lamb(model, weight_decay)
        case Rule.MUON:
            return Muon(model, weight_decay)
        case Rule.ADAMW:
            return AdamW(model, Flavour.CORRECTED, weight_decay)
        case Rule.ADAMW_GOOGLE_2018:
            return AdamW(model, Flavour.GOOGLE_2018, weight_decay)
