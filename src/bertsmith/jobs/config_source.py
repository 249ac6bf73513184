"""A config by the name that a person gives it: a preset, a file of any form, a model folder; and the place for a new one."""

from dataclasses import dataclass
from pathlib import Path

from bertsmith.checkpoints.hub import SMALL, fetched, hub_name
from bertsmith.config.bert import BertConfig
from bertsmith.config.formats import ConfigFile, read_config_file
from bertsmith.config.presets import PRESETS, names_a_path, preset
from bertsmith.errors import ConfigError
from bertsmith.files import json_text, write_aside
from bertsmith.progress import Listener

_NAMES = {"google": "bert_config.json"}  # in a folder; config.json for the other forms


@dataclass(frozen=True)
class NamedConfig:
    """A config, and the file that it was read from; None for a preset."""

    name: str
    config: BertConfig
    file: ConfigFile | None


def named_config(name: str, *, gelu: str = "auto", vocab_size: int | None = None, listen: Listener) -> NamedConfig:
    """The config that a name means.

    Args:
        name: a preset, the path of a config file or of a model folder, or a name on a hub.
        gelu: as in `read_config_file`; for a preset the form of its gelu, where one is asked for.
        vocab_size: as in `read_config_file`; for a preset the size of another vocabulary.
        listen: is told by which rule the gelu of a file was found.

    Raises:
        ConfigError: there is no such preset or file, or the file is no config of a BERT.
    """
    hub = None if name in PRESETS else hub_name(name)
    if hub or names_a_path(name):
        path = fetched(hub, files=SMALL, listen=listen)[0] if hub else Path(name)
        file = read_config_file(path, gelu=gelu, vocab_size=vocab_size, listen=listen)
        return NamedConfig(name, file.config, file)
    config = preset(name, vocab_size=vocab_size)
    if gelu != "auto":
        config = config.replace(hidden_act="gelu_tanh" if gelu in ("tanh", "google-2019") else "gelu_erf")
    return NamedConfig(name, config, None)


def place_for(output: Path, form: str) -> Path:
    """The file for a config: `output`, or the usual name in it where it is a folder."""
    return output / _NAMES.get(form, "config.json") if output.is_dir() else output


def write_values(path: Path, values: dict[str, object]) -> bool:
    """Write a config as JSON; whether the file is new. The same content may stand there already.

    Raises:
        ConfigError: something else stands there.
        MachineError: the disk is full or the place may not be written.
    """
    text = json_text(values)
    if path.exists():
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        raise ConfigError(
            "config-place-taken",
            "something else stands there",
            where=path,
            do="choose another --output, or remove it first; nothing was touched",
        )
    with write_aside(path) as file:
        file.write(text)
    return True
