"""A wish for so many parameters gives the sizes whose exact count comes nearest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsmith.config.bert import head_counts
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.presets import preset
from bertsmith.config.wish import nearest_config, wished_count
from bertsmith.errors import ConfigError

BASE = preset("base")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("25M", 25_000_000),
        ("4.4m", 4_400_000),
        ("1.5B", 1_500_000_000),
        ("110000000", 110_000_000),
        ("2e7", 20_000_000),
        ("11,170,560", 11_170_560),
        ("300 K", 300_000),
    ],
)
def test_a_wish_is_read_as_people_write_it(text, count):
    assert wished_count(text) == count


@pytest.mark.parametrize("text", ["", "many", "12X", "-3M", "0", "1e99", "NaN", "3 4"])
def test_what_is_no_number_of_parameters_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        wished_count(text)
    assert caught.value.code == "bad-params"


@pytest.mark.parametrize("name", ["tiny", "mini", "small", "medium", "base", "large", "rbt3", "chinese"])
def test_the_count_of_a_published_size_is_met_at_least_as_well_as_by_its_own_sizes(name):
    wanted = parameters(preset(name)).encoder
    found = nearest_config(wanted, preset(name), {})
    if name != "rbt3":  # three layers of 768 are no proportion of the published family
        assert parameters(found).encoder == wanted


@settings(deadline=None)
@given(count=st.integers(4_000_000, 2_000_000_000))
def test_the_proportions_are_those_of_the_published_family(count):
    config = nearest_config(count, BASE, {})
    assert config.head_width == 64 and config.intermediate_size == 4 * config.hidden_size
    assert 1024 / 24 <= config.hidden_size / config.num_hidden_layers <= 128
    assert abs(parameters(config).encoder / count - 1) < 0.26


def test_no_neighbour_comes_nearer():
    count = 25_000_000
    found = nearest_config(count, BASE, {})
    for layers in range(1, 40):
        for width in range(64, 2048, 64):
            if 1024 / 24 <= width / layers <= 128:
                sizes = {"num_hidden_layers": layers, "hidden_size": width}
                other = found.replace(**sizes, num_attention_heads=width // 64, intermediate_size=4 * width)
                assert abs(parameters(other).encoder - count) >= abs(parameters(found).encoder - count)


def test_given_fields_are_kept():
    config = nearest_config(25_000_000, BASE, {"hidden_size": 312, "vocab_size": 21128, "intermediate_size": 1200})
    assert (config.hidden_size, config.vocab_size, config.intermediate_size) == (312, 21128, 1200)
    assert nearest_config(25_000_000, BASE, {"num_hidden_layers": 3}).num_hidden_layers == 3
    assert nearest_config(25_000_000, BASE, {"num_attention_heads": 5}).hidden_size == 320


def test_given_fields_that_do_not_fit_together_are_refused():
    with pytest.raises(ConfigError, match="not a multiple"):
        nearest_config(25_000_000, BASE, {"hidden_size": 770, "num_attention_heads": 12})


@pytest.mark.parametrize(
    ("width", "heads"), [(768, 12), (312, 6), (128, 2), (288, 4), (7, 1), (1, 1), (769, 1), (2**20, 2**14)]
)
def test_heads_are_as_near_to_64_wide_as_they_can_be(width, heads):
    assert head_counts(width)[0] == heads
    assert all(width % count == 0 for count in head_counts(width))
