"""Two networks that differ are never called equal."""

import numpy as np
import pytest

from bertsmith.errors import CheckpointError
from bertsmith.inspection.parity import States, differences
from bertsmith.jobs.convert_settings import ConvertSettings
from bertsmith.jobs.convert_verify import _Run, _told

SETTINGS = ConvertSettings(source="a", target="b")


def states(change=lambda layers: None):
    layers = [np.ones((3, 4, 5), np.float32), np.ones((3, 2, 5), np.float32)]
    change(layers)
    return States(tuple(layers), {})


def poison(value, sequence, layer):
    return lambda layers: layers[sequence].__setitem__((layer, 0, 0), value)


@pytest.mark.parametrize("sequence", [0, 1])
@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1.01])
def test_a_difference_anywhere_is_refused(value, layer, sequence):
    run = _Run("bertsmith", states(poison(value, sequence, layer)), states())
    with pytest.raises(CheckpointError) as caught:
        _told([run], SETTINGS)
    assert caught.value.code == "conversion-differs"


def test_equal_networks_are_told_with_every_layer():
    found = _told([_Run("bertsmith", states(), states())], SETTINGS)
    assert [one["largest"] for one in found.numbers["bertsmith"]] == [0, 0, 0]
    assert [one.name for one in differences(states(), states())] == ["embeddings", "layer 1", "layer 2"]
