"""The two named recipes: which Adam, which fall of the rate, how much dropout, and what a setting is where it was not given."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.errors import UsageError
from bertsmith.records.run import RunRecord
from bertsmith.training.loop import Plan
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.processes import ALONE, Processes
from bertsmith.training.rules import Rule
from bertsmith.training.schedule import Decay, Schedule

# Devlin 2019, appendix A.2: batches of 256 sequences, a rate of 1e-4, 10,000 of 1,000,000 steps of warm-up
OF_THE_PAPER: Mapping[str, Any] = {"batch_size": 256, "learning_rate": 1e-4, "warmup": 0.01}
_ADDED_TO_COUNT = 1e-5  # google-research/bert, run_pretraining.py: the masked LM's loss is Σ / (number + 1e-5)


def settled(settings: PretrainSettings, given: Mapping[str, object]) -> PretrainSettings:
    """The settings as the recipe completes them: what was neither given nor changed from its default takes the recipe's value.

    Raises:
        UsageError: settings that exclude each other were given.
    """
    for one, other in (("steps", "budget"), ("max_seq_length", "phases")):
        if one in given and given.get(other):
            raise UsageError(
                "excluding-flags",
                "--{one} and --{other} exclude each other",
                do="leave one of them out",
                one=one.replace("_", "-"),
                other=other,
            )
    if settings.budget and settings.phases:
        raise UsageError(
            "phases-with-budget",
            "a run with a budget of time has one phase, because its number of steps is not known before it ends",
            do="give --steps in place of --budget; `bertsmith config estimate` tells how many fit",
        )
    if settings.recipe != "google-2018":
        return settings
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    left = {name for name in OF_THE_PAPER if name not in given and getattr(settings, name) == defaults[name]}
    return dataclasses.replace(settings, **{name: OF_THE_PAPER[name] for name in left})


def write_down(record: RunRecord, before: PretrainSettings, settings: PretrainSettings) -> None:
    """Write into a run's record what the recipe decided."""
    for name in OF_THE_PAPER:
        if getattr(before, name) != getattr(settings, name):
            record.resolve(name, getattr(settings, name), "inferred")
    if settings.schedule == "auto":
        record.resolve("schedule", decay_of(settings).value, "inferred")


def decay_of(settings: PretrainSettings) -> Decay:
    """How the rate falls."""
    if settings.schedule == "auto":
        return Decay.GOOGLE_2018 if settings.recipe == "google-2018" else Decay.LINEAR
    return Decay(settings.schedule)


def rule_of(settings: PretrainSettings) -> Rule:
    """How weights are updated."""
    google = settings.recipe == "google-2018" and settings.optimizer == "adamw"
    return Rule.ADAMW_GOOGLE_2018 if google else Rule(settings.optimizer)


def plan_of(settings: PretrainSettings, engine: Engine, processes: Processes = ALONE) -> Plan:
    """The loop's plan."""
    decay = decay_of(settings)
    return Plan(
        schedule=Schedule(settings.learning_rate, settings.steps, settings.warmup, decay, settings.decay_share),
        rule=rule_of(settings),
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        evaluate_every=settings.evaluate_every,
        save_every=settings.save_every,
        seed=settings.seed,
        engine=engine,
        budget=settings.budget_seconds,
        processes=processes,
    )


def added_to_count(recipe: str) -> float:
    """What the recipe adds to the number of masked tokens before it divides their losses."""
    return _ADDED_TO_COUNT if recipe == "google-2018" else 0.0


def config_of(config: BertConfig, recipe: str) -> BertConfig:
    """The config that is trained: `lean` has no dropout, `google-2018` what the config says."""
    return config if recipe == "google-2018" else config.replace(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
