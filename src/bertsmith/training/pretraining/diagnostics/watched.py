"""A run folder that is watched: what is known before the first step is gathered here, from the text, the instances and the settings."""

from bertsmith.config.estimate.memory import Precision, training_memory
from bertsmith.config.estimate.work import Work, micro_batches, typical_batch
from bertsmith.data.audit import audit_instances, audit_store
from bertsmith.machine import memory_bytes
from bertsmith.progress import Listener
from bertsmith.records.run import RunFolder
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.baselines import piece_counts
from bertsmith.training.pretraining.diagnostics.before import Before
from bertsmith.training.pretraining.diagnostics.watch import Watch
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.settings import PretrainSettings


def watched(
    folder: RunFolder, settings: PretrainSettings, workload: Pretraining, engine: Engine, listen: Listener
) -> RunFolder:
    """The folder with a watch that follows its log.

    Args:
        folder: of the run.
        settings: as the recipe completes them.
        workload: what is trained.
        engine: device, number format and threads.
        listen: told each finding.
    """
    facts = _before(settings, workload, engine)
    share = facts.instances.label_share
    watch = Watch(
        folder=folder,
        listen=listen,
        before=facts,
        majority=None if share is None or "nsp_accuracy" not in workload.pair_names else max(share, 1 - share),
        pairs=settings.batch_size,
        steps=None if settings.budget else settings.steps,
        still=lambda: _still(workload),
        continued=workload.continued,
    )
    following = folder.followed_by(watch)
    watch.folder = following  # so that findings reach everyone who follows
    return following


def _before(settings: PretrainSettings, workload: Pretraining, engine: Engine) -> Before:
    store, config = workload.instances.store, workload.model.config
    instances = audit_instances(workload.instances, piece_counts(store))
    known = engine.device == "cpu" and not settings.checkpointing  # what recomputing saves is not predicted for a processor
    return Before(
        config=config,
        store=audit_store(store),
        instances=instances,
        pieces=store.vocabulary.size,
        hidden_share=settings.replaced_share,
        objective=workload.instances.pair_rules.objective,
        learning_rate=settings.learning_rate,
        warmup_steps=round(settings.steps * settings.warmup),
        memory=_memory(settings, workload, engine, instances.lengths) if known else None,
        available=memory_bytes(),
    )


def _memory(settings: PretrainSettings, workload: Pretraining, engine: Engine, lengths: tuple[int, ...]) -> int:
    """The predicted peak of a step in bytes."""
    pieces = micro_batches(typical_batch(lengths, settings.batch_size), settings.micro_batch_tokens)
    work = [Work.of(piece, settings.masked_share) for piece in dict.fromkeys(map(tuple, pieces))]
    return int(max(training_memory(workload.model.config, one, Precision[engine.precision]).total for one in work))


def _still(workload: Pretraining) -> list[str]:
    """The arrays of embeddings and layers that have no gradient, or one that is zero everywhere."""
    return [
        name
        for name, parameter in workload.model.named_parameters()
        if name.startswith(("bert.embeddings.", "bert.layers.")) and (parameter.grad is None or not parameter.grad.any())
    ]
