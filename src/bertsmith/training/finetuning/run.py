"""Fine-tuning with several seeds: dev chooses among them, test is read once for each, all are recorded."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from bertsmith.checkpoints.folder import Checkpoint
from bertsmith.checkpoints.weights import write_arrays
from bertsmith.config.bert import BertConfig
from bertsmith.data.encoded import Encoded, encode
from bertsmith.data.examples import Examples
from bertsmith.errors import ConfigError
from bertsmith.files import write_folder_aside
from bertsmith.messages.names import METRICS, named
from bertsmith.models.bert.heads import BertForClassification
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.load import load_arrays, to_arrays
from bertsmith.progress import Listener, note, warning
from bertsmith.records.run import RunFolder
from bertsmith.tasks.classification import Classification
from bertsmith.tasks.metrics import ClassificationResult
from bertsmith.text.wordpiece import WordPiece
from bertsmith.training.finetuning.objective import Finetuning, logits
from bertsmith.training.finetuning.recipe import config_of, plan_of
from bertsmith.training.finetuning.settings import FinetuneSettings
from bertsmith.training.loop import train
from bertsmith.training.precision import Engine
from bertsmith.training.training_state import drop_states

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class TaskData:
    """The examples of the three splits, encoded, with their class numbers."""

    task: Classification
    train: tuple[Encoded, NDArray[np.int64]]
    dev: tuple[Encoded, NDArray[np.int64]]
    test: tuple[Encoded, NDArray[np.int64]]

    @property
    def cut_share(self) -> float:
        """Share of all texts that were cut."""
        splits = (self.train[0], self.dev[0], self.test[0])
        return sum(split.cut for split in splits) / max(sum(map(len, splits)), 1)


@dataclass(frozen=True)
class SeedResult:
    """What one seed reached.

    Args:
        seed: the seed.
        dev: scores on dev.
        test: scores on test.
        test_logits_BC: its logits on test, for paired comparisons.
        arrays: its weights.
    """

    seed: int
    dev: ClassificationResult
    test: ClassificationResult
    test_logits_BC: NDArray[np.float32]
    arrays: Arrays


def encode_task(
    settings: FinetuneSettings,
    checkpoint: Checkpoint,
    task: Classification,
    splits: tuple[Examples, Examples, Examples],
    listen: Listener,
) -> TaskData:
    """Encode the three splits with the model's vocabulary.

    Raises:
        CheckpointError: the model folder holds no vocabulary.
        ConfigError: the sequences are longer than the model's positions.
    """
    check_length(checkpoint.config, settings.max_length)
    encoder = WordPiece(checkpoint.needed_vocabulary(settings.model))

    def of(examples: Examples) -> tuple[Encoded, NDArray[np.int64]]:
        encoded = encode(encoder, examples.texts, examples.pairs, settings.max_length)
        return encoded, task.targets(examples.labels or [], examples.path)

    train_split, dev_split, test_split = splits
    data = TaskData(task, of(train_split), of(dev_split), of(test_split))
    if data.cut_share:
        listen(
            warning(
                "texts-cut",
                "{share} of the texts are longer than {length} tokens and were cut (--max-length)",
                share=f"{data.cut_share:.1%}",
                length=settings.max_length,
            )
        )
    return data


def check_length(config: BertConfig, length: int) -> None:
    """Refuse sequences that are longer than the model's position table."""
    if length > config.max_position_embeddings:
        raise ConfigError(
            "length-over-positions",
            "the model has {positions} positions and --max-length is {length}",
            do="use --max-length {positions} or less",
            where="max_length",
            positions=config.max_position_embeddings,
            length=length,
        )


def run_seeds(
    settings: FinetuneSettings, checkpoint: Checkpoint, data: TaskData, engine: Engine, folder: RunFolder, listen: Listener
) -> list[SeedResult]:
    """One run for each seed, each with a log and states of its own; finished ones are read back, not repeated."""
    results = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        part = folder.part(f"seeds/{seed}")
        result = _finished(part, seed, data)
        if result is None:
            result = _run_seed(settings, checkpoint, data, engine, part, seed, listen)
        results.append(result)
        listen(
            note(
                "seed-done",
                "seed {seed}: dev {metric} {value}",
                seed=seed,
                metric=named(METRICS, data.task.selection),
                value=f"{result.dev.selected:.3f}",
            )
        )
    return results


def _run_seed(
    settings: FinetuneSettings,
    checkpoint: Checkpoint,
    data: TaskData,
    engine: Engine,
    part: RunFolder,
    seed: int,
    listen: Listener,
) -> SeedResult:
    part.path.mkdir(parents=True, exist_ok=True)
    network = BertForClassification(config_of(checkpoint.config, settings.dropout), len(data.task.labels))
    initialize(network, checkpoint.config.initializer_range, seed)
    if settings.initial == "pretrained":
        load_arrays(network, {name: array for name, array in checkpoint.arrays.items() if not name.startswith("classifier")})
    workload = Finetuning(network, data.task, data.train, data.dev, settings.batch_size, settings.micro_batch_tokens, seed)
    train(workload, plan_of(settings, workload.steps_of_epoch, seed, engine), part, listen)
    with engine.running():
        dev, test = (logits(network, split[0], engine) for split in (data.dev, data.test))
    arrays = to_arrays(network)
    with write_folder_aside(part.path / "finished") as place:
        write_arrays(place / "seed.safetensors", {**arrays, "logits.dev": dev, "logits.test": test})
    drop_states(part.states)
    return _result(seed, dev, test, arrays, data)


def _finished(part: RunFolder, seed: int, data: TaskData) -> SeedResult | None:
    path = part.path / "finished" / "seed.safetensors"
    if not path.exists():
        return None
    arrays = load_file(path)
    dev, test = arrays.pop("logits.dev"), arrays.pop("logits.test")
    return _result(seed, dev, test, arrays, data)


def _result(seed: int, dev: NDArray[np.float32], test: NDArray[np.float32], arrays: Arrays, data: TaskData) -> SeedResult:
    measure = data.task.measure
    return SeedResult(seed, measure(dev, data.dev[1]), measure(test, data.test[1]), test, arrays)


def best_on_dev(results: list[SeedResult]) -> SeedResult:
    """The seed that dev chooses; the first of equals."""
    return max(results, key=lambda result: result.dev.selected)


def seed_logs(folder: RunFolder, results: list[SeedResult]) -> dict[int, list[dict[str, Any]]]:
    """What each seed logged."""
    return {result.seed: list(folder.part(f"seeds/{result.seed}").read_log()) for result in results}


def fine_tuned(checkpoint: Checkpoint, best: SeedResult, about: dict[str, Any]) -> Checkpoint:
    """The chosen seed's weights as a model at rest."""
    return Checkpoint(checkpoint.config, best.arrays, checkpoint.vocabulary, json.loads(json.dumps(about)))
