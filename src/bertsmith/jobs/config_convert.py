"""`config convert`: a config of one form as another, with a word on what that form cannot hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.config.formats import write_config
from bertsmith.files import json_text
from bertsmith.jobs.config_settings import ConfigConvertSettings
from bertsmith.jobs.config_source import named_config, place_for, write_values
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore, warning

_WROTE = Phrase("Wrote {path}.", "已写入 {path}。")
_THERE = Phrase("{path} holds this config already.", "{path} 已是此配置。")


@dataclass(frozen=True)
class Converted:
    """A config in its new form.

    Args:
        form: huggingface, google, keras or uer.
        values: the JSON object.
        lost: what the form's own code will not honour.
        path: where it was written; None where it is printed.
        new: whether the file was not there before.
        language: of the sentences among the numbers.
    """

    form: str
    values: dict[str, Any]
    lost: tuple[Phrase, ...]
    path: Path | None
    new: bool
    language: str

    @property
    def numbers(self) -> dict[str, Any]:
        """The object, what is not honoured, and the file."""
        lost = [phrase.text(self.language) for phrase in self.lost]
        return {"form": self.form, "values": self.values, "not_honoured": lost, "path": self.path and str(self.path)}

    def lines(self, language: str) -> list[str]:
        """The object itself where no file was asked for, so that it can be piped."""
        if self.path is None:
            return json_text(self.values).splitlines()
        told = _WROTE if self.new else _THERE
        named = Phrase(*(told.text(each).format(path=self.path) for each in ("en", "zh")))
        return Outcome({}, (named,), (command("config", "check", self.path),)).lines(language)


def config_convert(
    settings: ConfigConvertSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Converted:
    """Convert a config.

    Args:
        settings: the config, the form, and where it goes.
        given: the fields that the caller gave; converting needs no record of them.
        listen: told by which rule the gelu was found, and what the form's own code will not honour.
        language: of the sentences among the numbers, `en` or `zh`.

    Raises:
        ConfigError: no such config, faults in it, or something else stands at the output.
        MachineError: the output may not be written.
    """
    named = named_config(settings.config, gelu=settings.gelu, vocab_size=settings.vocab_size, listen=listen)
    values, lost = write_config(named.config, settings.to, named.file)
    for phrase in lost:
        listen(warning("not-honoured", "of this form: {what}", what=phrase))
    path = None if settings.output is None else place_for(settings.output, settings.to)
    new = path is not None and write_values(path, values)
    return Converted(settings.to, values, lost, path, new, language)
