"""The fields of a config out of the JSON of others, and every fault of them at once."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.config import gelu as gelus
from bertsmith.config.bert import ACTIVATIONS, MOST_PIECES, BertConfig
from bertsmith.config.fields import nearest, unknown_key, value_faults
from bertsmith.config.forms import AMBIGUOUS, FIELDS, KERAS, SETTLED, Form
from bertsmith.config.gelu import GeluFact, Origin
from bertsmith.config.originals import RECORD
from bertsmith.errors import ConfigError

_NEAR = 0.8  # likeness from which a foreign key is taken for a misspelling of an absent field (assumed)


@dataclass(frozen=True)
class Found:
    """What a JSON object says of our fields.

    Args:
        ours: our fields, those that the form fixes or has a default for included.
        gelu: the activation and how it is known.
        defaulted: fields for which Google's default was taken.
        missing: fields that the form must have and the object has not.
        keys: the object that holds the fields.
        record: our own key's fields, unknown ones included.
    """

    ours: dict[str, Any]
    gelu: GeluFact
    defaulted: tuple[str, ...]
    missing: tuple[str, ...]
    keys: Mapping[str, Any]
    record: Mapping[str, Any]


def fields_of(
    values: Mapping[str, Any],
    form: Form,
    *,
    vocab_size: int | None = None,
    gelu: str = "auto",
    recorded: object = None,
    where: object = None,
) -> Found:
    """Our fields out of a JSON object; wrong values stay as they are.

    Args:
        values: the JSON object.
        form: its form.
        vocab_size: goes before what the object says.
        gelu: one of `gelu.GELUS`.
        recorded: what is recorded of the gelu outside the object.
        where: the file, for the message.

    Raises:
        ConfigError: a gelu is asked for and the activation is none.
    """
    section, record = form.section(values), recorded_fields(values)
    ours: dict[str, Any] = dict(form.fixed)
    missing, defaulted = [], []
    for name in FIELDS:
        key = form.keys.get(name)
        if key in section:
            ours[name] = section[key]
        elif key and name in form.defaults:
            ours[name] = form.defaults[name]
            if form.name == "google" and name not in record:
                defaulted.append(name)
        elif name not in form.fixed:
            missing.append(name)
    if ours.get("pad_token_id", 0) is None:
        ours["pad_token_id"] = 0
    ours |= {name: value for name, value in record.items() if name in FIELDS}
    if vocab_size is not None:
        ours["vocab_size"] = vocab_size
    missing = [name for name in missing if name not in ours]
    fact = _gelu_fact(ours, form, gelu, record.get("hidden_act", recorded), where)
    ours["hidden_act"] = fact.activation
    # in the order of our fields, as BertConfig has them
    return Found({name: ours[name] for name in FIELDS if name in ours}, fact, tuple(defaulted), tuple(missing), section, record)


def recorded_fields(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our fields that stand under our own key in the file of another."""
    record = values.get(RECORD)
    fields = record.get("fields") if isinstance(record, dict) else None
    return fields if isinstance(fields, dict) else {}


def _gelu_fact(ours: Mapping[str, Any], form: Form, asked: str, recorded: object, where: object) -> GeluFact:
    """The activation: what is asked for goes before what is recorded, that before what the file states, that before the rule."""
    said = ours["hidden_act"]
    read = form.read.get(said, said) if isinstance(said, str) else said
    is_gelu = read == AMBIGUOUS or (isinstance(read, str) and read.startswith("gelu_"))
    if asked != "auto":
        if not is_gelu:
            raise _no_gelu(said, asked, where)
        return GeluFact(gelus.recorded_activation(asked) or "", Origin.GIVEN, gelus.GIVEN)
    noted = gelus.recorded_activation(recorded)
    if is_gelu and noted:
        return GeluFact(noted, Origin.RECORDED, gelus.RECORDED)
    if read == AMBIGUOUS:
        return gelus.by_rule(ours)
    if not is_gelu:
        return GeluFact(read, Origin.STATED, gelus.NO_GELU)
    return GeluFact(read, Origin.STATED, SETTLED[form.name] if said == "gelu" or form is KERAS else gelus.STATED)


def _no_gelu(said: object, asked: str, where: object) -> ConfigError:
    return ConfigError(
        "gelu-not-used",
        "hidden_act is {said!r}, so there is no gelu to be {asked}",
        where=where,
        do="leave --gelu away, or change hidden_act",
        said=said,
        asked=asked,
    )


def faults_of(found: Found, form: Form, where: object) -> list[ConfigError]:
    """Every fault of what was found: missing, misspelled, mistyped, out of bounds, or at odds with each other."""
    faults = [_missing(name, form, where) for name in found.missing]
    faults += _misspelled(found, form, where)
    faults += [unknown_key(key, dict.fromkeys(FIELDS), where) for key in found.record if key not in FIELDS]
    ours = dict(found.ours)
    if ours["hidden_act"] not in ACTIVATIONS:
        faults.append(_no_such_activation(ours["hidden_act"], form, where))
        ours["hidden_act"] = ACTIVATIONS[0]
    faults += value_faults(BertConfig, ours, where)
    faults += _together(ours, where)
    for fault in faults:  # under the name that the file has for it
        name = fault.values.get("field")
        if isinstance(name, str) and name not in found.record:
            fault.values["field"] = form.keys.get(name, name)
    return faults


def _no_such_activation(activation: Any, form: Form, where: object) -> ConfigError:
    known = list(form.read) or list(ACTIVATIONS)
    return ConfigError(
        "unknown-activation",
        "hidden_act is {value!r}",
        where=where,
        do="use one of {choices}{nearest}",
        value=activation,
        choices=", ".join(known),
        nearest=nearest(str(activation), known),
    )


def _together(ours: Mapping[str, Any], where: object) -> list[ConfigError]:
    """Faults of fields taken together, found by building the config with sound values in place of each unsound one."""
    sound = {name: value for name, value in ours.items() if not value_faults(BertConfig, {name: value})}
    heads = sound.get("num_attention_heads", 1)
    filled = {"vocab_size": MOST_PIECES, "hidden_size": heads, "num_attention_heads": 1, **sound}
    if "hidden_size" not in sound:
        filled["num_attention_heads"] = heads
    try:
        BertConfig(**filled)
    except ConfigError as error:
        faults = [error, *(other for other in error.also if isinstance(other, ConfigError))]
        for fault in faults:
            fault.where, fault.also = None if where is None else str(where), ()
        return faults
    return []


def _missing(name: str, form: Form, where: object) -> ConfigError:
    if name == "vocab_size" and name not in form.keys:
        return ConfigError(
            "vocabulary-not-told",
            "a config of {form} does not say how large the vocabulary is",
            where=where,
            do="give --vocab-size, the number of lines of the model's vocabulary file",
            form=form.title,
        )
    return ConfigError(
        "config-without-size",
        "{field} is missing",
        where=where,
        do="take the whole config.json from where the model comes from",
        field=name,
    )


def _misspelled(found: Found, form: Form, where: object) -> list[ConfigError]:
    known = list(dict.fromkeys([*form.keys.values(), *(FIELDS if form.name == "google" else ())]))
    absent = [key for key in known if key not in found.keys]
    faults = []
    for key in found.keys.keys() - {*known, *form.other_keys, *form.constants, RECORD}:
        near = difflib.get_close_matches(key, absent, n=1, cutoff=_NEAR)
        if near:
            faults.append(
                ConfigError(
                    "misspelled-field",
                    "there is no field {key!r}, and {near!r} is absent",
                    where=where,
                    do="rename {key!r} to {near!r}, or remove it",
                    key=key,
                    near=near[0],
                )
            )
    return sorted(faults, key=lambda fault: str(fault.values["key"]))
