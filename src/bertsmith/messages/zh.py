"""Chinese templates of all rooms: `ERRORS[code] = (what, what to do)`, `NOTES[code] = sentence`; the named values are the English ones."""

from bertsmith.messages import (
    zh_checkpoints,
    zh_cli,
    zh_config,
    zh_convert,
    zh_diagnostics,
    zh_documentation,
    zh_estimate,
    zh_foundation,
    zh_jobs,
    zh_reports,
    zh_tables,
    zh_tensorflow,
    zh_text,
    zh_training,
)

_ROOMS = (
    zh_foundation,
    zh_config,
    zh_estimate,
    zh_text,
    zh_tables,
    zh_documentation,
    zh_checkpoints,
    zh_convert,
    zh_tensorflow,
    zh_training,
    zh_diagnostics,
    zh_reports,
    zh_jobs,
    zh_cli,
)

ERRORS: dict[str, tuple[str, str]] = {code: texts for room in _ROOMS for code, texts in room.ERRORS.items()}
NOTES: dict[str, str] = {code: text for room in _ROOMS for code, text in room.NOTES.items()}
