"""How a BERT is fine-tuned: AdamW with bias correction, a warm-up, a linear fall (Mosbach et al. 2021; Zhang et al. 2021)."""

from bertsmith.config.bert import BertConfig
from bertsmith.training.finetuning.settings import FinetuneSettings
from bertsmith.training.loop import Plan
from bertsmith.training.precision import Engine
from bertsmith.training.rules import Rule
from bertsmith.training.schedule import Decay, Schedule


def plan_of(settings: FinetuneSettings, steps_of_epoch: int, seed: int, engine: Engine) -> Plan:
    """The loop's plan: an evaluation and a training state behind every pass."""
    return Plan(
        schedule=Schedule(settings.learning_rate, settings.epochs * steps_of_epoch, settings.warmup, Decay.LINEAR),
        rule=Rule.ADAMW,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        evaluate_every=steps_of_epoch,
        save_every=steps_of_epoch,
        seed=seed,
        engine=engine,
    )


def config_of(config: BertConfig, dropout: float) -> BertConfig:
    """The model's config with the dropout of the fine-tuning."""
    return config.replace(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, classifier_dropout=dropout)
