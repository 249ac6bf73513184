"""Objects of JSON out of files that others wrote."""

import json
from typing import Any


def json_object(text: str | bytes) -> dict[str, Any]:
    """The object that a text holds.

    Raises:
        ValueError: it holds none, is no UTF-8, or is nested deeper than Python reads.
    """
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not an object")
    return found
