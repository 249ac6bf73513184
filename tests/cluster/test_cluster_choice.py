"""What is decided before Ray starts: a missing package, who encodes, and how many processes fit."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_corpus import make_corpus, prepare_settings, pretrain_settings

from bertsmith.errors import ConfigError, MachineError, UsageError
from bertsmith.jobs import cluster
from bertsmith.jobs.cluster_shares import Shares, shares_of
from bertsmith.jobs.prepare import prepare
from bertsmith.jobs.pretrain import pretrain


@pytest.mark.parametrize(("job", "settings"), [(prepare, prepare_settings), (pretrain, pretrain_settings)])
def test_a_missing_ray_is_told_before_any_work(tmp_path, monkeypatch, job, settings):
    make_corpus(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(MachineError, match="pip install 'bertsmith\\[cluster\\]'") as told:
        job(settings(tmp_path, "made", "local"), given={})
    assert told.value.code == "no-ray"
    assert sorted(tmp_path.iterdir()) == before


def test_without_a_cluster_nothing_of_ray_is_loaded():
    program = "import sys, bertsmith.jobs.prepare, bertsmith.jobs.pretrain; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_processes_without_a_cluster_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="torchrun --nproc-per-node 2"):
        pretrain_settings(tmp_path, "run", processes=2)


def test_a_cluster_inside_torchrun_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError) as told:
        pretrain(pretrain_settings(tmp_path, "run", "local"), given={})
    assert told.value.code == "cluster-in-torchrun"


def nodes(*machines):
    return [{"Alive": True, "Resources": {"CPU": float(found), "GPU": float(gpus)}} for found, gpus in machines]


MACHINES = st.lists(st.tuples(st.integers(1, 64), st.integers(0, 8)), min_size=1, max_size=5)


@given(MACHINES, st.integers(0, 40), st.sampled_from(["cpu", "auto"]))
def test_every_process_fits_with_its_cores_and_no_more_cores_would_fit(machines, count, device):
    def room(each, gpu):
        return sum(min(found // each, gpus) if gpu else found // each for found, gpus in machines)

    try:
        shares = shares_of(nodes(*machines), count, device)
    except MachineError as error:
        gpu = device == "auto" and any(gpus for _, gpus in machines)
        assert room(1, gpu) < error.values["count"]
        return
    assert room(shares.cores, shares.gpu) >= shares.count
    assert room(shares.cores + 1, shares.gpu) < shares.count


def test_by_default_there_is_a_process_for_each_gpu_or_for_each_machine_without():
    assert shares_of(nodes((16, 4), (16, 4)), 0, "auto") == Shares(8, 4, gpu=True)
    assert shares_of(nodes((16, 4), (16, 4)), 0, "cpu") == Shares(2, 16, gpu=False)
    assert shares_of([*nodes((8, 0)), {"Alive": False, "Resources": {}}], 0, "auto") == Shares(1, 8, gpu=False)
