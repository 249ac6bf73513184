"""Layers that are computed again, and layers that are compiled: the same result as without."""

import pytest
import torch
from tiny_pretraining import ENGINE, make_config, make_settings, make_store

from bertsmith.data.instance_settings import Objective
from bertsmith.errors import MachineError, UsageError
from bertsmith.models.bert.encoder import keep, recompute
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import ignore
from bertsmith.records.run import RunFolder
from bertsmith.training import compiled
from bertsmith.training.compiled import compile_layers
from bertsmith.training.pretraining.run import run, start_of, workload_of


@pytest.fixture
def store(tmp_path):
    make_config(tmp_path)
    return make_store(tmp_path)


def trained(tmp_path, store, name, **changes):
    """Weights and log of a few steps."""
    settings = make_settings(tmp_path, tmp_path / name, steps=5, **changes)
    made = workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)
    folder = RunFolder(tmp_path / name)
    folder.path.mkdir()
    run(settings, made, ENGINE, folder, ignore)
    return made.model, list(folder.read_log())


def numbers_kept(tmp_path, store, checkpointing):
    """How many numbers a forward pass keeps for the backward pass."""
    settings, kept = make_settings(tmp_path, tmp_path / "run", checkpointing=checkpointing), []
    made = workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)
    (batch,) = made.batches(0)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor):
        made.model(Pack.of(batch), 1.0, 1.0)
    return sum(kept)


def test_layers_that_are_computed_again_give_the_same_bits_with_dropout(tmp_path, store):
    kept, log = trained(tmp_path, store, "kept")
    again, log_again = trained(tmp_path, store, "again", checkpointing=True)
    assert (kept.bert.go_through, again.bert.go_through) == (keep, recompute)
    assert kept.bert.config.hidden_dropout_prob > 0
    steps, steps_again = ([line for line in lines if "finding" not in line] for lines in (log, log_again))
    assert steps == steps_again
    for ours, theirs in zip(again.parameters(), kept.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_layers_that_are_computed_again_keep_their_input_alone(tmp_path, store):
    kept, again = (numbers_kept(tmp_path, store, checkpointing) for checkpointing in (False, True))
    assert again < kept / 2


@pytest.mark.slow  # a minute and more of compiling
def test_compiled_layers_give_the_same_losses(tmp_path, store):
    _, log = trained(tmp_path, store, "plain", recipe="lean")
    fast, log_fast = trained(tmp_path, store, "fast", recipe="lean", compile=True)
    assert "feed_forward" in fast.bert.layers[1].__dict__
    for ours, theirs in zip(log_fast, log, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_without_a_compiler_compiling_is_refused_with_what_is_missing(tmp_path, store, monkeypatch):
    monkeypatch.setattr(compiled, "_has_compiler", lambda device: False)
    with pytest.raises(MachineError) as refused:
        trained(tmp_path, store, "run", recipe="lean", compile=True)
    assert refused.value.code == "no-compiler"
    assert "C++" in refused.value.text("zh")


def test_layers_with_dropout_are_not_compiled_silently_in_another_way(tmp_path, store):
    with pytest.raises(UsageError) as refused:
        trained(tmp_path, store, "run", compile=True)
    assert refused.value.code == "compiled-dropout"


def test_compiling_changes_no_name_of_a_parameter(tmp_path, store):
    settings = make_settings(tmp_path, tmp_path / "run", recipe="lean")
    made = workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)
    names = [name for name, _ in made.model.named_parameters()]
    compile_layers(made.model.bert, "cpu")
    assert [name for name, _ in made.model.named_parameters()] == names
