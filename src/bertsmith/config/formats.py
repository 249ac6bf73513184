"""A BERT's config from and to the JSON of others: transformers, Google, keras-hub, UER-py. Nothing in a file is lost.

What a form has no field for stands under the key `bertsmith`, which the readers of all four pass over:

    "bertsmith": {
      "fields": {…}                                our fields that the form cannot hold, or would be read otherwise
      "origin": {"form", "extra", "absent"}        the file that this one was made from: its form, what a new file of that
    }                                              form would not have said, and the keys that it lacked
"""

import copy
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.config.bert import BertConfig
from bertsmith.config.field_faults import faults_of, fields_of, recorded_fields
from bertsmith.config.fields import nearest
from bertsmith.config.forms import FORMS, Form, canonical, form_of, not_held
from bertsmith.config.gelu import GeluFact, Origin, check_gelu
from bertsmith.config.networks import other_network
from bertsmith.config.originals import RECORD, diff, original_of, restored
from bertsmith.errors import ConfigError
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, note, warning

__all__ = ["FORMS", "ConfigFile", "config_from_values", "form_of", "read_config_file", "read_values", "write_config"]

_TOO_DEEP = Phrase("its lists and objects stand too deep inside each other", "其中的列表与对象嵌套过深")
NAMES = ("config.json", "bert_config.json")  # in a folder, the first that is there
_BESIDE = "bertsmith.json"
UNREADABLE = ("no-config", "config-not-a-file", "config-not-utf-8", "config-not-json")  # codes where no object was read
_LARGEST = 2**24  # bytes; the largest known config, with thousands of labels, has some hundred thousand
_DEEPEST = 100  # objects and lists inside each other; the deepest known config has five, and copying stops at some hundreds
_LISTED = 5  # keys told in one message
_DIGITS = 4300  # of a whole number; Python reads no longer one
_KINDS = {
    list: Phrase("a list", "列表"),
    str: Phrase("a text", "文本"),
    bool: Phrase("true or false", "真或假"),
    type(None): Phrase("null", "null"),
}


@dataclass(frozen=True)
class ConfigFile:
    """A config as it stands in a file.

    Args:
        form: huggingface, google, keras or uer.
        config: what it says.
        gelu: the activation and how it is known.
        values: the JSON object as read.
        defaulted: fields that the file does not have and Google's code has a default for.
    """

    form: str
    config: BertConfig
    gelu: GeluFact
    values: Mapping[str, Any]
    defaulted: tuple[str, ...] = ()


def read_config_file(
    path: Path, *, gelu: str = "auto", vocab_size: int | None = None, form: str = "auto", listen: Listener = ignore
) -> ConfigFile:
    """Read a config of any of the four forms.

    Args:
        path: the file, or a folder with a config.json or bert_config.json.
        gelu: auto, erf, tanh, google-2018 (erf) or google-2019 (tanh); auto takes what is recorded or stated, or a rule.
        vocab_size: pieces of the vocabulary, for a form that does not say it; it goes before what the file says.
        form: auto, huggingface, google, keras or uer.
        listen: is told by which rule the gelu was found, where Google's defaults were taken, and what stands in the file twice.

    Raises:
        ConfigError: no such file, no JSON object, another network, or fields missing or wrong; all at once.
    """
    file = file_at(path)
    values = read_values(file, listen)
    read = config_from_values(values, where=file, gelu=gelu, vocab_size=vocab_size, form=form, recorded=_recorded_beside(file))
    if read.gelu.origin is Origin.RULE:
        listen(
            warning(
                "gelu-assumed",
                "{file} says gelu and not which form; taken as {gelu}: {why} → --gelu erf or --gelu tanh says otherwise, and "
                "`bertsmith config convert` writes it down",
                file=str(file),
                gelu=read.gelu.activation,
                why=read.gelu.why,
            )
        )
    if read.defaulted:
        taken = ", ".join(f"{name} {getattr(read.config, name)}" for name in read.defaulted)
        listen(
            note(
                "google-defaults",
                "{file} leaves out what Google's code has a default for: {taken} → write down what the weights have",
                file=str(file),
                taken=taken,
            )
        )
    return read


def file_at(path: Path) -> Path:
    """The config file that a path means: itself, or the one in the folder."""
    if not path.is_dir():
        return path
    return next((path / name for name in NAMES if (path / name).is_file()), path / NAMES[0])


def _recorded_beside(file: Path) -> object:
    """What bertsmith.json in the same folder says of the gelu; None where there is none or it cannot be read."""
    try:
        return read_values(file.parent / _BESIDE).get("gelu")
    except ConfigError:
        return None


def read_values(file: Path, listen: Listener = ignore) -> dict[str, Any]:
    """The JSON object in a config file.

    Args:
        file: the file.
        listen: told which keys stand in it more than once.

    Raises:
        ConfigError: there is no such file, or it is not a JSON object.
    """
    repeated: list[str] = []

    def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return dict(pairs)

    try:
        values = json.loads(_text_of(file), object_pairs_hook=object_of, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
        reason = Phrase(f"{error.msg} in line {line}, column {column}", f"第 {line} 行第 {column} 列不合语法")
        raise _not_json(file, reason) from error
    except RecursionError as error:
        raise _not_json(file, _TOO_DEEP) from error
    if not isinstance(values, dict):
        kind = _KINDS.get(type(values), Phrase("a number", "数"))
        raise _not_json(file, Phrase(f"it is {kind.en}", f"它是{kind.zh}"))
    if _deeper_than(values, _DEEPEST):
        raise _not_json(file, _TOO_DEEP)
    if repeated:
        keys = ", ".join(repeated[:_LISTED]) + (", …" if len(repeated) > _LISTED else "")
        listen(
            warning(
                "repeated-key",
                "{file} has {keys} more than once, and of each the last one counts → remove the others",
                file=str(file),
                keys=keys,
            )
        )
    return values


def _text_of(file: Path) -> str:
    """The text of a config file, read in bounded memory.

    Raises:
        ConfigError: it is none, or no such file can be read.
    """
    try:
        if file.exists() and not file.is_file() and not file.is_dir():  # reading a pipe or a device may never end
            raise ConfigError(
                "config-not-a-file",
                "this is a pipe, a socket or a device, and a config is read from a file",
                where=file,
                do="write it to a file, and give that",
            )
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            "no-config",
            "there is no readable config.json or bert_config.json",
            where=file,
            do="give the file, or the folder that holds it",
        ) from error
    if len(content) > _LARGEST:
        raise _not_json(file, Phrase("it is larger than 16 MiB", "它大于 16 MiB"))
    if not content.strip():
        raise _not_json(file, Phrase("it is empty", "它是空的"))
    return _decoded(content, file)


def _decoded(content: bytes, file: Path) -> str:
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start + 1
        raise _not_json(file, Phrase(f"its byte {at} is not UTF-8", f"第 {at} 个字节不是 UTF-8")) from error
    if encoding.startswith("utf-8"):
        return text
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        raise _not_json(file, Phrase("it is no text", "它不是文本"))
    raise ConfigError(
        "config-not-utf-8",
        "the file is {encoding}",
        where=file,
        do="save it as UTF-8",
        encoding=encoding.upper().removesuffix("-LE").removesuffix("-BE"),
    )


def _whole_number(digits: str) -> int | float:
    """A whole number as JSON has it; one that is too long for Python becomes infinite, as a float would, and is refused as a size."""
    return int(digits) if len(digits) <= _DIGITS else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _deeper_than(value: object, most: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_deeper_than(item, most - 1) for item in inside)


def _not_json(file: Path, reason: Phrase) -> ConfigError:
    return ConfigError(
        "config-not-json",
        "this is not a JSON object: {reason}",
        where=file,
        do="take config.json from where the model comes from",
        reason=reason,
    )


def config_from_values(
    values: Mapping[str, Any],
    *,
    where: object,
    gelu: str = "auto",
    vocab_size: int | None = None,
    form: str = "auto",
    recorded: object = None,
) -> ConfigFile:
    """A config from the JSON object of any of the four forms.

    Args:
        values: the JSON object.
        where: the file, for the messages.
        gelu: as in `read_config_file`.
        vocab_size: as in `read_config_file`.
        form: as in `read_config_file`.
        recorded: what is recorded of the gelu outside the object.

    Raises:
        ConfigError: another network, or fields missing or wrong; all at once.
    """
    check_gelu(gelu)
    shape = _form(form_of(values) if form == "auto" else form)
    refused = other_network(values, shape.name, where)
    if refused:  # the fields of another network would only be told as faults of ours
        raise ConfigError.all_of(refused)
    found = fields_of(values, shape, vocab_size=vocab_size, gelu=gelu, recorded=recorded, where=where)
    faults = faults_of(found, shape, where)
    if faults:
        raise ConfigError.all_of(faults)
    return ConfigFile(shape.name, BertConfig(**found.ours), found.gelu, values, found.defaulted)


def _form(name: str) -> Form:
    if name in FORMS:
        return FORMS[name]
    raise ConfigError(
        "unknown-form",
        "there is no form {name!r}",
        do="use one of {choices}{nearest}",
        name=name,
        choices=", ".join(FORMS),
        nearest=nearest(name, FORMS),
    )


def write_config(config: BertConfig, form: str, source: ConfigFile | None = None) -> tuple[dict[str, Any], tuple[Phrase, ...]]:
    """A config as the JSON object of a form.

    Written in the form of `source`, what did not change keeps its key and its spelling. Written in another form, everything of
    `source` that this form has no place for goes with it, and comes back when it is written in the first form again.

    Args:
        config: what to write.
        form: huggingface, google, keras or uer.
        source: the file that the config was read from.

    Returns:
        The JSON object, and what the form's own code will not honour, a sentence each without a final stop.

    Raises:
        ConfigError: there is no such form.
    """
    shape = _form(form)
    original = None if source is None else original_of(source.values, source.form, shape)
    if source is not None and source.form == form:
        values = copy.deepcopy(dict(source.values))
    elif original is not None:
        values = restored(canonical(config, shape), original)
    else:
        values = canonical(config, shape)
    follows = original is not None or (source is not None and source.form == form)
    _record_the_rest(values, config, shape, follows=follows)
    kept: tuple[str, ...] = ()
    if source is not None and source.form != form:
        kept = _carry(values, source, alone=original is not None)
    return values, (*not_held(config, shape), *_told_kept(kept, shape))


def _record_the_rest(values: dict[str, Any], config: BertConfig, form: Form, *, follows: bool) -> None:
    """Make a reading of `values` give `config`: under the form's own keys where it has them, under ours otherwise.

    A form that does not say how large the vocabulary is keeps silent where the file that `values` follows did.
    """
    asked = follows and "vocab_size" not in {*form.keys, *recorded_fields(values)}
    vocab_size = config.vocab_size if asked else None
    if not _differing(values, config, form, vocab_size):
        return
    record = values.pop(RECORD, None)
    record = {key: value for key, value in record.items() if key != "fields"} if isinstance(record, dict) else {}
    fresh = form.section(canonical(config, form))
    for name in _differing(values, config, form, vocab_size):
        if name in form.keys:
            form.section(values)[form.keys[name]] = fresh[form.keys[name]]
    if "emb_size" in fresh:
        values["emb_size"] = fresh["emb_size"]
    rest = {name: getattr(config, name) for name in _differing(values, config, form, vocab_size)}
    record = {**({"fields": rest} if rest else {}), **record}
    if record:
        values[RECORD] = record


def _differing(values: Mapping[str, Any], config: BertConfig, form: Form, vocab_size: int | None) -> list[str]:
    read = fields_of(values, form, vocab_size=vocab_size).ours
    return [name for name, value in config.to_dict().items() if name not in read or read[name] != value]


def _carry(values: dict[str, Any], source: ConfigFile, *, alone: bool) -> tuple[str, ...]:
    """Put what is particular to the source's file under our key, and give the names of its further keys.

    Args:
        values: the new object.
        source: the file that it is made from.
        alone: the new object was restored from its own original; only what the source has beyond its form is put there.
    """
    there = diff(source.values, canonical(source.config, FORMS[source.form]))
    if alone:
        there.extra.pop(RECORD, None)
    if there.extra or not alone:
        values.setdefault(RECORD, {})["origin"] = {"form": source.form, "extra": there.extra, "absent": there.absent}
    return tuple(key for key in there.extra if key != RECORD and key not in FORMS[source.form].keys.values())


def _told_kept(keys: tuple[str, ...], form: Form) -> tuple[Phrase, ...]:
    if not keys:
        return ()
    names = ", ".join(keys)
    return (
        Phrase(
            f"{form.title.en} has no place for {names}: kept under the key {RECORD!r}, for the way back",
            f"{form.title.zh} 无处存放以下各项：{names}；保存在 {RECORD!r} 键下，转换回去时恢复",
        ),
    )
