"""Training states: whole or not there, the newest readable one wins."""

import errno
import json

import pytest
import torch

from bertsmith.errors import MachineError, RunFolderError
from bertsmith.training import training_state
from bertsmith.training.training_state import TrainingState, drop_states, newest_state, save_state

LAYOUT = [{"table": [2, 3]}, {"bias": [4]}]


def state(step):
    tensors = {"weights.0": torch.full((6,), float(step)), "weights.1": torch.arange(4.0), "step.0": torch.tensor(float(step))}
    return TrainingState(step, 100 * step, LAYOUT, tensors)


def steps_in(folder):
    return sorted(int(path.name.removeprefix("step-")) for path in folder.glob("step-*"))


def test_a_state_comes_back_as_it_was(tmp_path):
    save_state(tmp_path, state(3))
    found = newest_state(tmp_path, LAYOUT, print)
    assert (found.step, found.log_size, found.layout) == (3, 300, LAYOUT)
    for name, tensor in state(3).tensors.items():
        assert torch.equal(found.tensors[name], tensor)
        assert found.tensors[name].shape == tensor.shape


def test_without_a_state_there_is_none(tmp_path):
    assert newest_state(tmp_path / "states", LAYOUT, print) is None


def test_the_newest_two_are_kept(tmp_path):
    for step in (1, 2, 9, 10, 11):
        save_state(tmp_path, state(step))
    assert steps_in(tmp_path) == [10, 11]
    drop_states(tmp_path)
    assert not tmp_path.exists()


def cut_the_tensors(folder):
    file = folder / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def spoil_the_header(folder):
    file = folder / "state.safetensors"
    content = file.read_bytes()
    file.write_bytes(b"\xff" * 16 + content[16:])


DAMAGES = {
    "tensors cut": cut_the_tensors,
    "header spoilt": spoil_the_header,
    "tensors gone": lambda folder: (folder / "state.safetensors").unlink(),
    "manifest gone": lambda folder: (folder / "manifest.json").unlink(),
    "manifest cut": lambda folder: (folder / "manifest.json").write_text('{"step": 2'),
    "manifest of another kind": lambda folder: (folder / "manifest.json").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_state_is_passed_over_with_a_warning(tmp_path, damage):
    save_state(tmp_path, state(1))
    save_state(tmp_path, state(2))
    DAMAGES[damage](tmp_path / "step-00000002")
    events = []
    assert newest_state(tmp_path, LAYOUT, events.append).step == 1
    assert [(event.code, event.warning) for event in events] == [("state-unreadable", True)]
    assert "step-00000002" in events[0].text("en")
    assert "step-00000002" in events[0].text("zh")


def test_what_a_kill_left_unfinished_is_removed(tmp_path):
    save_state(tmp_path, state(1))
    (tmp_path / ".aside-step-00000002").mkdir()
    (tmp_path / ".aside-step-00000002" / "state.safetensors").write_bytes(b"half")
    assert newest_state(tmp_path, LAYOUT, print).step == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_the_state_of_another_network_is_refused_and_left_alone(tmp_path):
    save_state(tmp_path, state(1))
    with pytest.raises(RunFolderError) as refused:
        newest_state(tmp_path, [{"table": [3, 2]}, {"bias": [4]}], print)
    assert refused.value.code == "state-of-another-network"
    assert steps_in(tmp_path) == [1]


def test_a_full_disk_leaves_the_earlier_state_whole(tmp_path, monkeypatch):
    save_state(tmp_path, state(1))

    def full(file, arrays):
        file.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training_state, "write_arrays", full)
    with pytest.raises(MachineError) as refused:
        save_state(tmp_path, state(2))
    assert refused.value.code == "disk-full"
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert newest_state(tmp_path, LAYOUT, print).step == 1


def test_a_really_full_disk_is_told_as_such(tmp_path):
    """The operating system's own refusal, where this process may mount a file system of 64 KiB."""
    import shutil
    import subprocess

    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True)
    if not done or done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        save_state(tmp_path / "states", state(1))
        large = TrainingState(2, 0, LAYOUT, {"weights.0": torch.zeros(100_000)})
        with pytest.raises(MachineError) as refused:
            save_state(tmp_path / "states", large)
        assert refused.value.code == "disk-full"
        assert newest_state(tmp_path / "states", LAYOUT, print).step == 1
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_the_manifest_tells_step_log_and_layout(tmp_path):
    save_state(tmp_path, state(5))
    manifest = json.loads((tmp_path / "step-00000005" / "manifest.json").read_text())
    size = (tmp_path / "step-00000005" / "state.safetensors").stat().st_size
    assert manifest == {"step": 5, "log_size": 500, "layout": LAYOUT, "size": size, "facts": {}}
