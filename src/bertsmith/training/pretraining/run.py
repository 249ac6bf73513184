"""Pretraining from a token store to measured weights: what is decided at the start, the loop, the held-out result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bertsmith.checkpoints.folder import Checkpoint, read_config, read_model_folder
from bertsmith.checkpoints.hub import hub_name
from bertsmith.config.bert import BertConfig
from bertsmith.config.presets import PRESETS, names_a_path, preset
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules
from bertsmith.data.pairs import PairRules
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import ConfigError, DataError
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize, look_at_neighbours
from bertsmith.models.bert.load import load_arrays, to_arrays
from bertsmith.progress import Listener, note, warning
from bertsmith.records.run import RunFolder
from bertsmith.records.scores import Score
from bertsmith.training.loop import evaluate, train
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.baselines import log_frequencies, majority, unigram
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.recipe import config_of, plan_of
from bertsmith.training.pretraining.settings import PretrainSettings

LEAST_DOCUMENTS = 2  # for pairs: a negative comes from another document
EVALUATED_SHARE = 0.15  # masks of an evaluation, whatever the training share, so that losses compare


@dataclass(frozen=True)
class Start:
    """What a run starts from: a config, and arrays where it goes on from a model."""

    config: BertConfig
    checkpoint: Checkpoint | None


def start_of(settings: PretrainSettings, store: TokenStore, listen: Listener) -> Start:
    """The config or the model that `settings.model` names, checked against the store.

    Raises:
        ConfigError: no such preset, a wrong config, or sizes that do not fit the store's vocabulary or the sequence length.
        CheckpointError: the model folder cannot be read.
    """
    path = Path(settings.model)
    if settings.model in PRESETS or not (names_a_path(settings.model) or hub_name(settings.model)):
        config = preset(settings.model, vocab_size=store.vocabulary.size)
        return Start(config.replace(max_position_embeddings=max(config.max_position_embeddings, settings.max_seq_length)), None)
    checkpoint = None if path.suffix == ".json" else read_model_folder(path, listen=listen)
    config = read_config(path, listen=listen) if checkpoint is None else checkpoint.config
    faults = []
    if config.vocab_size != store.vocabulary.size:
        faults.append(
            ConfigError(
                "vocabulary-size",
                "the config is for {config} pieces and the store's vocabulary has {store}",
                where=path,
                do="set vocab_size to {store}, or prepare the text with the vocabulary of this model",
                config=config.vocab_size,
                store=store.vocabulary.size,
            )
        )
    if config.max_position_embeddings < settings.max_seq_length:
        faults.append(
            ConfigError(
                "too-few-positions",
                "the config has {positions} positions and --max-seq-length is {length}",
                where=path,
                do="use --max-seq-length {positions} or less, or a config with more positions",
                positions=config.max_position_embeddings,
                length=settings.max_seq_length,
            )
        )
    if faults:
        raise ConfigError.all_of(faults)
    return Start(config, checkpoint)


def objective_of(settings: PretrainSettings, store: TokenStore, listen: Listener) -> bool:
    """Whether there are pairs: as asked for, or where the text has two documents or more.

    Raises:
        DataError: there is no training text.
    """
    shards = store.shards("train")
    if not shards:
        raise DataError(
            "no-training-text",
            "every document of the token store is held out",
            where=store.folder,
            do="run `bertsmith prepare` again with a smaller `--held-out`, or with more documents",
        )
    documents = min(len(shard.documents) - 1 for shard in shards)
    if settings.objective == "auto" and documents < LEAST_DOCUMENTS:
        listen(
            warning(
                "mlm-alone",
                "the text is one document, so there is no next-sentence prediction: masked LM alone is learned "
                "(`--documents` says what a document is)",
            )
        )
    return settings.objective == "mlm+nsp" or (settings.objective == "auto" and documents >= LEAST_DOCUMENTS)


def workload_of(settings: PretrainSettings, store: TokenStore, start: Start, pairs: bool) -> Pretraining:
    """The network with its first weights, and its instances."""
    model = BertForPretraining(config_of(start.config, settings.recipe))
    initialize(model, start.config.initializer_range, settings.seed)
    if settings.first_weights == "neighbours":
        look_at_neighbours(model.bert, start.config.initializer_range, settings.seed)
    if start.checkpoint is not None:
        load_arrays(model, start.checkpoint.arrays)
    elif settings.recipe == "lean":
        # the masked LM starts as the unigram, so no step is spent on learning frequencies
        with torch.no_grad():
            model.masked_lm.bias.copy_(torch.from_numpy(log_frequencies(store)))
    rules = PairRules(settings.max_seq_length, settings.short_share, pairs, settings.seed)
    masks = MaskRules(settings.masked_share, store.vocabulary.size, store.vocabulary.mask, settings.seed)
    evaluated = MaskRules(EVALUATED_SHARE, store.vocabulary.size, store.vocabulary.mask, settings.seed)
    shards = store.shards("held-out")
    enough = shards and all(len(shard.documents) > LEAST_DOCUMENTS for shard in shards)
    return Pretraining(
        model,
        Instances(store, "train", rules, masks),
        Instances(store, "held-out", rules, evaluated) if shards and (enough or not pairs) else None,
        settings.batch_size,
        settings.micro_batch_tokens,
        settings.evaluation_instances,
    )


def run(settings: PretrainSettings, workload: Pretraining, engine: Engine, folder: RunFolder, listen: Listener) -> None:
    """Tell the plan and train."""
    first_epoch = workload.instances.count(0)
    listen(
        note(
            "pretraining-plan",
            "{instances} instances an epoch, {epochs} epochs; {parameters} parameters",
            instances=f"{first_epoch:,}",
            epochs=f"{settings.steps * settings.batch_size / first_epoch:.2f}",
            parameters=f"{sum(p.numel() for p in workload.model.parameters()):,}",
        )
    )
    share = workload.instances.not_next_share(0) if workload.instances.pair_rules.pairs else None
    if share is not None:
        listen(note("not-next-share", "{share} of the pairs are not-next", share=f"{share:.1%}"))
    if workload.held_out is None:
        listen(
            warning(
                "no-held-out",
                "too few documents are held out: nothing is evaluated (give more documents, or hold out a larger share when the text is prepared)",
            )
        )
    train(workload, plan_of(settings, engine), folder, listen)
    if share is not None:
        folder.log({"not_next_share": share})  # behind the training, which cuts the log back to its state


def scores_of(workload: Pretraining, store: TokenStore, engine: Engine) -> list[Score]:
    """Held-out loss and accuracy of both objectives beside their baselines."""
    if workload.held_out is None:
        return []
    with engine.running():
        measured = evaluate(workload, engine)
    labels_M, targets_B = workload.evaluated_labels()
    loss, accuracy = unigram(store, labels_M)
    tokens, pairs = len(labels_M), len(targets_B)
    scores = [
        Score("mlm_loss", measured["mlm_loss"], "held-out", tokens, 1, None, ("unigram", loss)),
        Score("mlm_accuracy", measured["mlm_accuracy"], "held-out", tokens, 1, None, ("unigram", accuracy)),
    ]
    if pairs:
        scores.append(
            Score("nsp_accuracy", measured["nsp_accuracy"], "held-out", pairs, 1, None, ("majority", majority(targets_B)))
        )
    return scores


def checkpoint_of(workload: Pretraining, start: Start, store: TokenStore, about: dict[str, Any]) -> Checkpoint:
    """The weights with the config that was asked for (dropout included), the vocabulary, and where they come from."""
    return Checkpoint(start.config, to_arrays(workload.model), store.vocabulary, about)
