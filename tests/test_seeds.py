"""Every draw is a pure function of seed, purpose and counters."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bertsmith.seeds import below, bits, permute, uniform


def test_draws_never_change_between_versions():
    assert int(bits(0, "mask")) == 17857632177646376612
    assert [int(value) for value in bits(7, "mask", 3, np.arange(3))] == [
        16690782026489892268,
        16810692813236229136,
        5432288283041397880,
    ]
    assert permute(np.arange(7), 7, 1, "order", 2).tolist() == [1, 4, 2, 6, 3, 0, 5]


def test_an_array_of_counters_draws_what_each_counter_draws_alone():
    rows, columns = np.arange(5)[:, None], np.arange(4)
    together = bits(1, "mask", rows, 9, columns)
    assert together.shape == (5, 4)
    assert all(together[row, column] == bits(1, "mask", row, 9, column) for row in range(5) for column in range(4))


@pytest.mark.parametrize(
    "other", [(2, "mask", 3, 4), (1, "order", 3, 4), (1, "mask", 4, 3), (1, "mask", 3), (1, "mask", 3, 4, 0)]
)
def test_seed_purpose_and_order_of_counters_all_matter(other):
    seed, purpose, *counters = other
    assert bits(1, "mask", 3, 4) != bits(seed, purpose, *counters)


def test_uniform_numbers_fill_the_unit_interval_evenly():
    values = uniform(0, "mask", np.arange(200_000))
    assert values.min() >= 0
    assert values.max() < 1
    counts = np.histogram(values, 100, (0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 150  # chi-square with 99 degrees: beyond 150 once in a thousand


def test_neighbouring_counters_are_not_correlated():
    values = uniform(0, "mask", np.arange(300)[:, None], np.arange(300))
    for shift in (np.roll(values, 1, 0), np.roll(values, 1, 1), values.T):
        assert abs(np.corrcoef(values.ravel(), shift.ravel())[0, 1]) < 0.015


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**40))
def test_bounded_draws_stay_below_their_bound(bound, counter):
    assert 0 <= below(bound, 5, "negative", counter) < bound


def test_bounds_may_differ_for_each_draw():
    bounds = np.arange(1, 1000)
    assert (below(bounds, 5, "negative", bounds) < bounds).all()


@example(1, 0, 0)
@example(4, 0, 0)
@example(5, 0, 0)
@given(st.integers(1, 400), st.integers(0, 2**63), st.integers(0, 50))
def test_a_permutation_visits_every_place_once(size, seed, epoch):
    assert sorted(permute(np.arange(size), size, seed, "order", epoch).tolist()) == list(range(size))


def test_a_permutation_of_many_needs_no_table():
    index = np.array([0, 10**12 - 1, 123_456_789_012])
    places = permute(index, 10**12, 0, "order", 0)
    assert len(set(places.tolist())) == 3
    assert (places >= 0).all()
    assert (places < 10**12).all()


def test_one_index_goes_where_it_goes_among_all():
    together = permute(np.arange(100), 100, 3, "order", 1)
    assert all(int(permute(index, 100, 3, "order", 1)) == together[index] for index in range(100))


def test_epochs_are_permuted_differently():
    first, second = (permute(np.arange(1000), 1000, 3, "order", epoch) for epoch in (0, 1))
    assert (first == second).sum() < 10
    assert (first == np.arange(1000)).sum() < 10
