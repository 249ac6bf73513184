"""Chinese templates: `ERRORS[code] = (what, what to do)`, `NOTES[code] = sentence`; the named values are the English ones."""

ERRORS: dict[str, tuple[str, str]] = {}
NOTES: dict[str, str] = {}
