"""`config estimate`: what a config costs before anything is run. A framework is loaded only where this machine is measured."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.gpus import GPUS
from bertsmith.config.estimate.memory import Precision
from bertsmith.config.estimate.milestones import MILESTONES
from bertsmith.config.estimate.whole import Estimate, estimate
from bertsmith.config.presets import preset
from bertsmith.errors import ConfigError
from bertsmith.jobs import estimate_tables as tables
from bertsmith.jobs.config_source import named_config
from bertsmith.jobs.estimate_lengths import Lengths, lengths_of
from bertsmith.jobs.estimate_settings import ConfigEstimateSettings
from bertsmith.jobs.estimate_time import Time, time_of, time_table
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.records.page import Table


def config_estimate(
    settings: ConfigEstimateSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Reckon parameters, operations, memory and time of pretraining a config.

    Args:
        settings: the config, the sequences of a step, and the machine.
        given: the fields that the caller gave, for the record.
        listen: told how data are read, and the stage of a measurement.
        language: that the report opens in.

    Raises:
        ConfigError: no such preset or a wrong config; a length that the positions cannot hold.
        DataError: the data cannot be read.
        RunFolderError: the output holds something else.
    """
    lengths = lengths_of(settings, listen)
    config = _trained(settings, lengths, listen)
    found = estimate(
        config,
        lengths.lengths,
        batch_size=settings.batch_size,
        micro_batch_tokens=settings.micro_batch_tokens,
        masked_share=settings.masked_share,
        precision=Precision[settings.precision],
        recompute=settings.recompute,
    )
    time = time_of(settings, found, lengths, listen)
    drawn = _tables(settings, found, time)
    head = _head(settings, found, lengths)
    numbers = _numbers(settings, found, lengths, time)
    told = [head, *(line for table in drawn for line in _told(table))]
    if settings.output is not None:
        report = _write(settings, given, found, drawn, numbers, head, language)
        told += [_blank(), Phrase(f"report: {report}", f"报告：{report}")]
    return Outcome(numbers, tuple(told), _following(settings))


def _trained(settings: ConfigEstimateSettings, lengths: Lengths, listen: Listener) -> BertConfig:
    """The config as `pretrain` would train it: with the vocabulary of the data, and with or without dropout."""
    named = named_config(settings.model, listen=listen)
    config = named.config
    if named.file is None:
        config = preset(settings.model, vocab_size=lengths.vocab_size or config.vocab_size)
        config = config.replace(max_position_embeddings=max(config.max_position_embeddings, settings.max_seq_length))
    if config.max_position_embeddings < settings.max_seq_length:
        raise ConfigError(
            "length-beyond-positions",
            "the config has {positions} positions and --max-seq-length is {length}",
            where=settings.model,
            do="use --max-seq-length {positions} or less, or a config with more positions",
            positions=config.max_position_embeddings,
            length=settings.max_seq_length,
        )
    if settings.recipe == "google-2018":
        return config
    return config.replace(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def _tables(settings: ConfigEstimateSettings, found: Estimate, time: Time | None) -> list[Table]:
    memory = None if settings.gpu is None else GPUS[settings.gpu].memory_gb
    drawn = [
        tables.parameter_table(found.parameters),
        tables.operation_table(found),
        tables.memory_table(found, Precision[settings.precision]),
        tables.cuda_table(found, memory),
        tables.inference_table(found),
    ]
    if time is not None:
        drawn.append(time_table(time, found, settings.steps))
    return [*drawn, tables.milestone_table(found, None if time is None else time.step_seconds)]


def _head(settings: ConfigEstimateSettings, found: Estimate, lengths: Lengths) -> Phrase:
    config, work = found.config, found.work
    again_en, again_zh = (
        (" Layers are recomputed for backward; `pretrain` itself keeps them.", "各层在反向时重算；pretrain 本身则保存各层。")
        if settings.recompute
        else ("", "")
    )
    return Phrase(
        f"{settings.model}: {config.num_hidden_layers} layers of width {config.hidden_size}, {config.vocab_size:,} pieces. A step of "
        f"{settings.batch_size} sequences has {work.tokens:,} tokens ({lengths.source.en}), {work.predicted:,} of them predicted.{again_en}",
        f"{settings.model}：{config.num_hidden_layers} 层，宽 {config.hidden_size}，{config.vocab_size:,} 个词片。每步 {settings.batch_size} "
        f"条序列共 {work.tokens:,} 个词元（{lengths.source.zh}），其中预测 {work.predicted:,} 个。{again_zh}",
    )


def _told(table: Table) -> list[Phrase]:
    """A table as lines in both languages; both have as many."""
    both = [_lines(table, language) for language in ("en", "zh")]
    return [_blank(), *(Phrase(en, zh) for en, zh in zip(*both, strict=True))]


def _lines(table: Table, language: str) -> list[str]:
    rows = [[_text(cell, language) for cell in row] for row in (table.columns, *table.rows)]
    numeric = [i for i in range(len(table.columns)) if _is_number(rows[1][i])]  # the first row is of the column's kind
    caption = [] if table.caption is None else ["  " + table.caption.text(language)]
    return [table.title.text(language), *aligned(rows, right=numeric), *caption]


def _text(cell: object, language: str) -> str:
    if isinstance(cell, Phrase):
        return cell.text(language)
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) >= 10 or cell == 0 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _is_number(text: str) -> bool:
    return text[:1].isdigit()


def _blank() -> Phrase:
    return Phrase("", "")


def _numbers(settings: ConfigEstimateSettings, found: Estimate, lengths: Lengths, time: Time | None) -> dict[str, Any]:
    counts = found.parameters
    step = None if time is None else time.step_seconds
    return {
        "model": settings.model,
        "config": found.config.to_dict(),
        "lengths": {"mean": lengths.mean, "longest": max(lengths.lengths), "sampled": len(lengths.lengths)},
        "step": {part.name: getattr(found.work, part.name) for part in fields(found.work)},
        "parameters": {**tables.numbers_of(counts), "encoder": counts.encoder, "pretraining": counts.pretraining},
        "flops": {
            "forward": tables.numbers_of(found.forward),
            "training": tables.numbers_of(found.training),
            "padded_training": tables.numbers_of(found.padded_training),
            "training_per_token": found.training.total / found.work.tokens,
        },
        "memory": {
            "training": tables.numbers_of(found.memory),
            "cuda": {
                f"{attention.value}{'-checkpointing' if again else ''}": tables.numbers_of(memory)
                for (attention, again), memory in found.cuda.items()
            },
            "inference": {kind.name: tables.numbers_of(memory) for kind, memory in found.inference.items()},
        },
        "time": None if time is None or step is None else {**time.numbers, "step": step, "run": step * settings.steps},
        "milestones": [{"name": stone.name.en, "tokens": stone.tokens, "source": stone.source.en} for stone in MILESTONES],
    }


def _write(
    settings: ConfigEstimateSettings,
    given: Mapping[str, object],
    found: Estimate,
    drawn: list[Table],
    numbers: Mapping[str, Any],
    head: Phrase,
    language: str,
) -> Path:
    from bertsmith.jobs.estimate_page import page_of  # here, because an estimate without a report needs no templates
    from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
    from bertsmith.reports.page import write_report

    assert settings.output is not None
    folder = RunFolder(settings.output)
    record = RunRecord("config estimate", settings_with_origin(settings, given))
    folder.begin(record)
    title = Phrase(f"What {settings.model} costs", f"{settings.model} 的代价")
    page = page_of(title, head, found, drawn)
    path = folder.path / "report.html"
    write_report(path, page, record, language="zh" if language == "zh" else "en")
    folder.finish(numbers, page)
    return path


def _following(settings: ConfigEstimateSettings) -> tuple[str, ...]:
    sizes = ("--batch-size", settings.batch_size, "--max-seq-length", settings.max_seq_length)
    pretrain = command("pretrain", "STORE", "--model", settings.model, *sizes, "--steps", settings.steps)
    if settings.machine:
        return (pretrain,)
    return (command("config", "estimate", settings.model, *sizes, "--machine", "here"), pretrain)
