"""`config new`: write a config that begins with a preset or another config, or that comes near a wish."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig, head_counts
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.formats import write_config
from bertsmith.config.wish import nearest_config, wished_count
from bertsmith.errors import ConfigError
from bertsmith.jobs.config_settings import ConfigNewSettings
from bertsmith.jobs.config_source import named_config, place_for, write_values
from bertsmith.jobs.config_vocabulary import rows_fault, vocabulary_of
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase, flag_of
from bertsmith.progress import Listener, ignore, warning

# share of the wish from which the sizes are no answer to it: those that are tried come within 0.26 of any wish from four million
# to two billion (a test)
_FAR = 0.3
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")


def config_new(
    settings: ConfigNewSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Write a new config.

    Args:
        settings: what it begins with, what is wished for, and every field that shall be otherwise.
        given: the fields that the caller gave.
        listen: told what the form's own code will not honour.
        language: not used; the lines are made in the reader's language.

    Raises:
        ConfigError: fields that do not fit together, a wish that no sizes come near to, or something else stands at the output.
        DataError: the vocabulary cannot be read.
        MachineError: the output may not be written.
    """
    fields = settings.given_fields()
    start = named_config(settings.like, vocab_size=fields.get("vocab_size"), listen=listen).config
    fields = _with_vocabulary(settings.vocabulary, fields)
    wished = None if settings.params is None else wished_count(settings.params)
    config = _changed(start, fields) if wished is None else nearest_config(wished, start, fields)
    if wished is not None and abs(parameters(config).encoder - wished) > _FAR * wished:
        raise _missed(wished, config, fields)
    values, lost = write_config(config, settings.form)
    for phrase in lost:
        listen(warning("not-honoured", "of this form: {what}", what=phrase))
    path = place_for(settings.output, settings.form)
    new = write_values(path, values)
    return _told(path, new, config, wished)


def _missed(wished: int, config: BertConfig, fields: Mapping[str, Any]) -> ConfigError:
    """The error for a wish that even the nearest config is far from."""
    counts, nearest = parameters(config), f"{parameters(config).encoder:,}"
    given = ", ".join(flag_of(name) for name in fields if name in _SIZES)
    if given:
        why = Phrase(f"nothing nearer goes with the given {given}", f"在给定的 {given} 之下没有更接近的")
        do = Phrase(f"wish for {nearest}, or change or leave out {given}", f"请改要 {nearest} 个，或修改或去掉 {given}")
    elif counts.words > wished:
        why = Phrase(f"the word table alone has {counts.words:,}", f"仅词嵌入表就有 {counts.words:,} 个")
        do = Phrase(f"wish for {nearest}, or give a smaller --vocab-size", f"请改要 {nearest} 个，或给出更小的 --vocab-size")
    else:
        why = Phrase("these are the extremes of the sizes that are tried", "这已是所尝试大小的极限")
        do = Phrase(
            f"wish for {nearest}, or give --hidden-size and --num-hidden-layers in place of --params",
            f"请改要 {nearest} 个，或不用 --params，而给出 --hidden-size 与 --num-hidden-layers",
        )
    return ConfigError(
        "wish-missed",
        "no sensible sizes come nearer to {wished} parameters than {found}: {why}",
        where="--params",
        do="{otherwise}",
        wished=f"{wished:,}",
        found=nearest,
        why=why,
        otherwise=do,
    )


def _changed(start: BertConfig, fields: Mapping[str, Any]) -> BertConfig:
    """The config with some fields changed; where the width alone is given, the heads and the feed-forward part follow it."""
    width = fields.get("hidden_size")
    follow: dict[str, Any] = {}
    if width is not None:
        keeps = width % start.head_width == 0
        follow["num_attention_heads"] = width // start.head_width if keeps else head_counts(width)[0]
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
