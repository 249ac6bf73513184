"""The command line as a launcher such as torchrun starts it, in several processes that read the same words.

The first one speaks for all, so the others are silent: what one of them dies of reaches the first.
"""

import os
import sys
import time

from bertsmith.cli.main import main

_LAST_WORD = (
    3.0  # seconds for the first process to say what went wrong: torchrun ends it as soon as it sees another one end; assumed
)


def launched_main() -> int:
    """Run the process's command; the exit code."""
    if os.environ.get("RANK", "0") == "0":
        return main()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    exit_code = main()
    if exit_code:
        time.sleep(_LAST_WORD)
    return exit_code
