"""Which plan the quickstart takes."""

import pytest

from bertsmith.jobs.quickstart_plan import PLANS, fitting


@pytest.mark.parametrize(
    ("speed", "name"),
    [(40_000, "full"), (16_000, "full"), (15_999, "half"), (11_500, "half"), (11_499, "quarter"), (100, "quarter")],
)
def test_a_slower_machine_gets_a_smaller_plan(speed, name):
    assert fitting(speed).name == name


def test_a_smaller_plan_has_fewer_steps_and_no_more_examples():
    sizes = [
        (plan.steps, plan.examples, plan.probes) for plan in (PLANS[name] for name in ("full", "half", "quarter", "smoke"))
    ]
    assert sizes == sorted(sizes, reverse=True)
