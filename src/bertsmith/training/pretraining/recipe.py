"""The two named recipes: which Adam, which fall of the rate, how much dropout."""

from bertsmith.config.bert import BertConfig
from bertsmith.training.loop import Plan
from bertsmith.training.optimizer import Flavour
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.schedule import Decay, Schedule


def plan_of(settings: PretrainSettings, engine: Engine) -> Plan:
    """The loop's plan for the settings' recipe."""
    google = settings.recipe == "google-2018"
    return Plan(
        schedule=Schedule(
            settings.learning_rate, settings.steps, settings.warmup, Decay.GOOGLE_2018 if google else Decay.LINEAR
        ),
        flavour=Flavour.GOOGLE_2018 if google else Flavour.CORRECTED,
        weight_decay=settings.weight_decay,
        clip_norm=settings.clip_norm,
        evaluate_every=settings.evaluate_every,
        save_every=settings.save_every,
        seed=settings.seed,
        engine=engine,
    )


def config_of(config: BertConfig, recipe: str) -> BertConfig:
    """The config that is trained: `lean` has no dropout, `google-2018` what the config says."""
    return config if recipe == "google-2018" else config.replace(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
