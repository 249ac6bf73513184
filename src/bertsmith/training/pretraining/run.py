"""Pretraining from a token store to measured weights: what is decided at the start, the loop, the held-out result."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bertsmith.checkpoints.folder import Checkpoint, read_config, read_model_folder
from bertsmith.checkpoints.hub import hub_name
from bertsmith.config.bert import BertConfig
from bertsmith.config.presets import PRESETS, names_a_path, preset
from bertsmith.data.instance_recipe import evaluated_instances, training_instances
from bertsmith.data.instance_settings import Objective
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import ConfigError, UsageError
from bertsmith.models.bert.encoder import recompute
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize, look_at_neighbours
from bertsmith.models.bert.load import load_arrays, to_arrays
from bertsmith.progress import Listener, note, warning
from bertsmith.records.run import RunFolder
from bertsmith.records.scores import Score
from bertsmith.training.compiled import compile_layers
from bertsmith.training.loop import evaluate, train
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.baselines import log_frequencies, majority, unigram
from bertsmith.training.pretraining.diagnostics.watched import watched
from bertsmith.training.pretraining.endless_row import EndlessRow
from bertsmith.training.pretraining.general import bits_per_character, general_instances, general_scores, tell_before
from bertsmith.training.pretraining.growth import grown, vocabulary_fault
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.phases import batch_sizes, first_steps, seed_of
from bertsmith.training.pretraining.recipe import added_to_count, config_of, plan_of
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.processes import ALONE, Processes


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
        return Start(config.replace(max_position_embeddings=max(config.max_position_embeddings, settings.longest)), None)
    checkpoint = None if path.suffix == ".json" else read_model_folder(path, listen=listen)
    config = read_config(path, listen=listen) if checkpoint is None else checkpoint.config
    fault = vocabulary_fault(config, None if checkpoint is None else checkpoint.vocabulary, store, path)
    faults = [] if fault is None else [fault]
    if config.max_position_embeddings < settings.longest:
        faults.append(
            ConfigError(
                "too-few-positions",
                "the config has {positions} positions and the longest sequence {length} tokens",
                where=path,
                do="use sequences of {positions} tokens or less (--max-seq-length, --phases), or a config with more positions",
                positions=config.max_position_embeddings,
                length=settings.longest,
            )
        )
    if faults:
        raise ConfigError.all_of(faults)
    if checkpoint is None:
        return Start(config, None)
    listen(note("weights-kept", "going on from the weights of {model}; the optimizer starts anew", model=settings.model))
    checkpoint = grown(checkpoint, store, listen)
    return Start(checkpoint.config, checkpoint)


def workload_of(
    settings: PretrainSettings, store: TokenStore, start: Start, objective: Objective, general: TokenStore | None = None
) -> Pretraining:
    """The network with its first weights, and its instances, those of a general text beside them.

    Raises:
        DataError: the general text is too short for an instance.
    """
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
    if settings.checkpointing:
        model.bert.go_through = recompute
    first, *later = _rows(settings, store, objective)
    return Pretraining(
        model,
        first.instances,
        evaluated_instances(dataclasses.replace(settings, max_seq_length=settings.longest), store, objective),
        settings.batch_size,
        settings.micro_batch_tokens,
        settings.evaluation_instances,
        tuple(later),
        added_to_count(settings.recipe),
        pair_names=("sop_loss", "sop_accuracy") if objective is Objective.MLM_SOP else ("nsp_loss", "nsp_accuracy"),
        general=None if general is None else general_instances(general, objective, settings.longest),
        continued=start.checkpoint is not None,
    )


def _rows(settings: PretrainSettings, store: TokenStore, objective: Objective) -> list[EndlessRow]:
    """The training sequences of each phase."""
    phases, rows = settings.phase_list, []
    sizes, firsts = batch_sizes(phases, settings.batch_size), first_steps(phases, settings.steps)
    for number, (phase, size, first) in enumerate(zip(phases, sizes, firsts, strict=True)):
        its_own = dataclasses.replace(settings, max_seq_length=phase.length, seed=seed_of(settings.seed, number))
        rows.append(EndlessRow(training_instances(its_own, store, objective), size, first))
    return rows


def run(
    settings: PretrainSettings,
    workload: Pretraining,
    engine: Engine,
    folder: RunFolder,
    listen: Listener,
    processes: Processes = ALONE,
) -> None:
    """Tell the plan and train, in every process; the first one writes.

    Raises:
        UsageError: there are more processes than sequences in a step, or layers with dropout are to be compiled.
        MachineError: there is no compiler.
    """
    check_sequences(settings, processes)
    if settings.compile:
        compile_layers(workload.model.bert, engine.device)
    _tell_plan(settings, workload, listen)
    rules = workload.instances.pair_rules
    share = workload.instances.label_share(0) if rules.objective is Objective.MLM_NSP else None
    if share is not None:
        listen(note("not-next-share", "{share} of the pairs are not-next", share=f"{share:.1%}"))
    if workload.held_out is None:
        listen(
            warning(
                "no-held-out",
                "too few documents are held out: nothing is evaluated (give more documents, or hold out a larger share when the text is prepared)",
            )
        )
    if workload.general is not None and processes.leads:
        _measure_before(workload, engine, listen)
    watching = watched(folder, settings, workload, engine, listen) if processes.leads else folder
    train(workload, plan_of(settings, engine, processes), watching, listen)
    facts = {f"before_{name}": value for name, value in workload.before.items()}
    facts |= {} if share is None else {"not_next_share": share}
    if facts and processes.leads:
        folder.log(facts)  # behind the training, which cuts the log back to its state


def _measure_before(workload: Pretraining, engine: Engine, listen: Listener) -> None:
    """Measure the first weights; a run that goes on does it again, for they are the same, and its log was cut."""
    workload.model.to(engine.device)
    with engine.running():
        workload.before = evaluate(workload, engine)
    tell_before(workload.before, listen)


def check_sequences(settings: PretrainSettings, processes: Processes) -> None:
    """Refuse steps that leave a process without work."""
    fewest = min(batch_sizes(settings.phase_list, settings.batch_size))
    if fewest < processes.count:
        raise UsageError(
            "fewer-sequences-than-processes",
            "a step has {sequences} sequences for {processes} processes",
            do="give a larger --batch-size, or start fewer processes",
            sequences=fewest,
            processes=processes.count,
        )


def _tell_plan(settings: PretrainSettings, workload: Pretraining, listen: Listener) -> None:
    first_epoch, parameters = workload.instances.count(0), sum(p.numel() for p in workload.model.parameters())
    if settings.budget:
        listen(
            note(
                "pretraining-budget",
                "{instances} instances an epoch, as many steps as fit into {budget}; {parameters} parameters",
                instances=f"{first_epoch:,}",
                budget=settings.budget,
                parameters=f"{parameters:,}",
            )
        )
        return
    ends = [*(row.first_step for row in workload.rows[1:]), settings.steps]
    epochs = sum((end - row.first_step) * row.batch_size / row.instances.count(0) for row, end in zip(workload.rows, ends))
    listen(
        note(
            "pretraining-plan",
            "{instances} instances an epoch, {epochs} epochs; {parameters} parameters",
            instances=f"{first_epoch:,}",
            epochs=f"{epochs:.2f}",
            parameters=f"{parameters:,}",
        )
    )


def scores_of(workload: Pretraining, store: TokenStore, engine: Engine) -> list[Score]:
    """Held-out loss and accuracy of both objectives beside their baselines, and those on a general text beside what they were before."""
    if not workload.measurable:
        return []
    with engine.running():
        measured = evaluate(workload, engine)
    held_out = [] if workload.held_out is None else _held_out_scores(workload, store, measured)
    return held_out + general_scores(workload.before, measured, workload.general_tokens)


def _held_out_scores(workload: Pretraining, store: TokenStore, measured: Mapping[str, float]) -> list[Score]:
    labels_M, targets_B = workload.evaluated_labels()
    loss, accuracy = unigram(store, labels_M)
    tokens, pairs = len(labels_M), len(targets_B)
    characters = workload.evaluated_characters
    unigram_bits = bits_per_character(loss * tokens, characters)
    scores = [
        Score("mlm_loss", measured["mlm_loss"], "held-out", tokens, 1, None, ("unigram", loss)),
        Score("mlm_accuracy", measured["mlm_accuracy"], "held-out", tokens, 1, None, ("unigram", accuracy)),
        Score("bits_per_character", measured["bits_per_character"], "held-out", characters, 1, None, ("unigram", unigram_bits)),
    ]
    if pairs:
        scores.append(
            Score(
                workload.pair_names[1],
                measured[workload.pair_names[1]],
                "held-out",
                pairs,
                1,
                None,
                ("majority", majority(targets_B)),
            )
        )
    return scores


def checkpoint_of(workload: Pretraining, start: Start, store: TokenStore, about: dict[str, Any]) -> Checkpoint:
    """The weights with the config that was asked for (dropout included), the vocabulary, and where they come from."""
    return Checkpoint(start.config, to_arrays(workload.model), store.vocabulary, about)
