"""A program of its own: `python unpickle.py PICKLE SAFETENSORS` reads the tensors of a pickle and writes them as safetensors.

torch's `weights_only` builds tensors and plain containers and refuses everything else, so that no code of the file is executed. It runs apart
from the process that asked, with nothing in its environment that is worth stealing; nothing of bertsmith but this file is loaded.
"""

import sys
from typing import Any

REFUSED, UNREADABLE = 3, 4  # exit codes


def main(source: str, target: str) -> int:
    """Read, and write what was read; the reason of a failure goes to standard error."""
    import pickle

    import torch
    from safetensors.torch import save_file

    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        # the line that names what was refused; torch writes advice around it
        print(next((line for line in lines if "WeightsUnpickler error" in line), lines[0]), file=sys.stderr)  # noqa: T201
        return REFUSED if _is_pickle(source) else UNREADABLE
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        print(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, file=sys.stderr)  # noqa: T201
        return UNREADABLE
    # clones, because safetensors takes no tensors that share memory, such as a tied decoder
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in _tensors(loaded).items()}, target)
    return 0


def _is_pickle(source: str) -> bool:
    """Whether a file begins as torch.save's zip or as a pickle of protocol 2 and later does; else it was no program that was refused."""
    with open(source, "rb") as opened:
        return opened.read(4).startswith((b"PK\x03\x04", b"\x80"))


def _tensors(loaded: Any) -> dict[str, Any]:
    """The named tensors; training scripts put them one level below, beside the optimizer."""
    import torch

    if not isinstance(loaded, dict):
        return {}
    found = {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
    inner = [loaded[key] for key in ("state_dict", "model_state_dict", "model") if isinstance(loaded.get(key), dict)]
    return found or (_tensors(inner[0]) if inner else {})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
