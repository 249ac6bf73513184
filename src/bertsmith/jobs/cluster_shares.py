"""How the cores and GPUs of a cluster are shared out among the processes that train."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bertsmith.errors import MachineError


@dataclass(frozen=True)
class Shares:
    """How the machines of a cluster are shared out: so many processes, each with so many cores, and a GPU or none.

    Args:
        count: processes.
        cores: of each.
        gpu: whether each has a GPU of its own.
    """

    count: int
    cores: int
    gpu: bool


def shares_of(nodes: Iterable[Mapping[str, Any]], count: int, device: str) -> Shares:
    """The processes that train, each with as many cores as fit.

    Args:
        nodes: the machines as Ray lists them.
        count: processes; 0: one for each GPU, or for each machine of a cluster without.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        MachineError: there are fewer cores or GPUs than processes.
    """
    machines = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = 0 if device == "cpu" else sum(int(machine.get("GPU", 0)) for machine in machines)
    wanted = count or gpus or len(machines)
    places = [(int(machine.get("CPU", 0)), int(machine.get("GPU", 0)) if gpus else wanted) for machine in machines]
    for each in range(max((found for found, _ in places), default=0), 0, -1):
        if sum(min(found // each, most) for found, most in places) >= wanted:
            return Shares(wanted, each, gpus > 0)
    raise MachineError(
        "cluster-too-small",
        "{count} processes do not fit into a cluster of {cores} cores and {gpus} GPUs",
        do="give a smaller --processes, or --device cpu where GPUs are too few",
        count=wanted,
        cores=sum(found for found, _ in places),
        gpus=gpus,
    )
