"""`config new`: write a config that begins with a preset or another config, or that comes near a wish."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.formats import write_config
from bertsmith.config.wish import heads_of, nearest_config, wished_count
from bertsmith.errors import ConfigError
from bertsmith.jobs.config_settings import ConfigNewSettings
from bertsmith.jobs.config_source import named_config, place_for, write_values
from bertsmith.jobs.config_vocabulary import rows_fault, vocabulary_of
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, warning

_FAR = 0.1  # share of the wish from which the distance is a warning; assumed


def config_new(
    settings: ConfigNewSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Write a new config.

    Args:
        settings: what it begins with, what is wished for, and every field that shall be otherwise.
        given: the fields that the caller gave.
        listen: told what the form's own code will not honour, and where the wish was missed by far.
        language: not used; the lines are made in the reader's language.

    Raises:
        ConfigError: fields that do not fit together, or something else stands at the output.
        DataError: the vocabulary cannot be read.
        MachineError: the output may not be written.
    """
    fields = settings.given_fields()
    start = named_config(settings.like, vocab_size=fields.get("vocab_size"), listen=listen).config
    fields = _with_vocabulary(settings.vocabulary, fields)
    wished = wished_count(settings.params) if settings.params else None
    config = _changed(start, fields) if wished is None else nearest_config(wished, start, fields)
    found = parameters(config).encoder
    if wished is not None and abs(found - wished) > _FAR * wished:
        listen(
            warning(
                "wish-missed",
                "no sensible sizes come nearer to {wished} parameters than {found}: {why}",
                wished=f"{wished:,}",
                found=f"{found:,}",
                why=_why_missed(config, found > wished),
            )
        )
    values, lost = write_config(config, settings.form)
    for phrase in lost:
        listen(warning("not-honoured", "of this form: {what}", what=phrase))
    path = place_for(settings.output, settings.form)
    new = write_values(path, values)
    return _told(path, new, config, wished)


def _why_missed(config: BertConfig, over: bool) -> Phrase:
    words = f"{parameters(config).words:,}"
    if over:
        return Phrase(
            f"the word table alone has {words} (--vocab-size makes it smaller)",
            f"仅词嵌入表就有 {words} 个（--vocab-size 可将其减小）",
        )
    return Phrase("the given fields and the widths that are tried leave no more", "给定的字段与所尝试的宽度没有更多余地")


def _changed(start: BertConfig, fields: Mapping[str, Any]) -> BertConfig:
    """The config with some fields changed; where the width alone is given, the heads and the feed-forward part follow it."""
    width = fields.get("hidden_size")
    follow: dict[str, Any] = {}
    if width is not None:
        keeps = width % start.head_width == 0
        follow["num_attention_heads"] = width // start.head_width if keeps else heads_of(width)
        if start.intermediate_size == 4 * start.hidden_size:
            follow["intermediate_size"] = 4 * width
    return start.replace(**{**follow, **fields})


def _with_vocabulary(path: Path | None, fields: dict[str, Any]) -> dict[str, Any]:
    """The given fields with the size and the padding of a vocabulary, where they are not given.

    Raises:
        ConfigError: the given size does not fit it.
        DataError: it cannot be read.
    """
    if path is None:
        return fields
    vocabulary = vocabulary_of(path)
    faults = rows_fault(fields.get("vocab_size"), vocabulary, path)
    if faults:
        raise ConfigError.all_of(faults)
    return {"vocab_size": vocabulary.size, "pad_token_id": vocabulary.padding, **fields}


def _told(path: Path, new: bool, config: BertConfig, wished: int | None) -> Outcome:
    counts, heads = parameters(config), config.num_attention_heads
    shape = f"{config.num_hidden_layers} × {config.hidden_size}"
    told = [
        Phrase(f"Wrote {path}.", f"已写入 {path}。")
        if new
        else Phrase(f"{path} holds this config already.", f"{path} 已是此配置。"),
        Phrase(
            f"{shape} with {heads} head{'s' * (heads > 1)}, {config.vocab_size:,} pieces: {counts.encoder:,} parameters in encoder and "
            f"pooler, {counts.pretraining:,} with both pretraining heads.",
            f"{shape}，{heads} 个头，{config.vocab_size:,} 个词片：编码器与池化层 {counts.encoder:,} 个参数，"
            f"加两个预训练头共 {counts.pretraining:,} 个。",
        ),
    ]
    numbers: dict[str, Any] = {
        "path": str(path),
        "new": new,
        "fields": config.to_dict(),
        "encoder_and_pooler": counts.encoder,
        "with_pretraining_heads": counts.pretraining,
    }
    if wished is not None:
        away = (counts.encoder - wished) / wished
        numbers |= {"wished": wished, "away": away}
        told.append(Phrase(f"That is {away:+.2%} from the wish of {wished:,}.", f"与所要的 {wished:,} 个相差 {away:+.2%}。"))
    following = (command("config", "check", path), command("pretrain", "STORE", "--model", path))
    return Outcome(numbers, tuple(told), following)
