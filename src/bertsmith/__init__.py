"""bertsmith: one toolkit for the whole life of a BERT.

Every name below is loaded when it is first used, so that `import bertsmith` is light and loads no framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertsmith.config.bert import BertConfig
    from bertsmith.config.presets import preset
    from bertsmith.data.token_store import TokenStore
    from bertsmith.errors import BertsmithError, CheckpointError, ConfigError, DataError, MachineError, RunFolderError
    from bertsmith.inference.model import LoadedModel, load
    from bertsmith.jobs.verbs import compare, convert, evaluate, finetune, predict, prepare, pretrain, quickstart, vocab
    from bertsmith.jobs.verbs import inspect_store as inspect
    from bertsmith.records.run import RunFolder
    from bertsmith.records.scores import Score
    from bertsmith.text.vocabulary import Vocabulary, read_vocabulary

__version__ = "0.1.0"
__all__ = [
    "BertConfig",
    "BertsmithError",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "LoadedModel",
    "MachineError",
    "RunFolder",
    "RunFolderError",
    "Score",
    "TokenStore",
    "Vocabulary",
    "__version__",
    "compare",
    "convert",
    "evaluate",
    "finetune",
    "inspect",
    "load",
    "predict",
    "prepare",
    "preset",
    "pretrain",
    "quickstart",
    "read_vocabulary",
    "vocab",
]

# where each public name lives: module, and its name there where that is another one
_HOMES = {
    "bertsmith.config.bert": ("BertConfig",),
    "bertsmith.config.presets": ("preset",),
    "bertsmith.data.token_store": ("TokenStore",),
    "bertsmith.errors": ("BertsmithError", "CheckpointError", "ConfigError", "DataError", "MachineError", "RunFolderError"),
    "bertsmith.inference.model": ("LoadedModel", "load"),
    "bertsmith.jobs.verbs": (
        "compare",
        "convert",
        "evaluate",
        "finetune",
        "inspect",
        "predict",
        "prepare",
        "pretrain",
        "quickstart",
        "vocab",
    ),
    "bertsmith.records.run": ("RunFolder",),
    "bertsmith.records.scores": ("Score",),
    "bertsmith.text.vocabulary": ("Vocabulary", "read_vocabulary"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bertsmith' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), "inspect_store" if name == "inspect" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
