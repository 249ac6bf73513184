"""`inspect`: what lies at a path, a token store or a model of any kind."""

from collections.abc import Mapping

from bertsmith.data.token_store import is_store
from bertsmith.jobs.convert_settings import InspectSettings
from bertsmith.jobs.inspect_model import inspect_model
from bertsmith.jobs.inspect_store import inspect_store
from bertsmith.jobs.outcome import Outcome
from bertsmith.progress import Listener, ignore


def inspect(
    settings: InspectSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Masked instances of a token store; or what a model is, from where, what is missing, and what can be done with it.

    Raises:
        DataError: a damaged token store.
        CheckpointError: nothing that is known lies there.
        ConfigError: the epoch has no instance of that number.
    """
    return inspect_store(settings, given, listen, language) if is_store(settings.path) else inspect_model(settings, listen)
