"""Which plan the quickstart takes."""

from bertsmith.jobs.quickstart_plan import LEAST_SPEED, PLANS, fitting


def test_a_slower_machine_gets_a_smaller_plan():
    full, half = LEAST_SPEED["full"], LEAST_SPEED["half"]
    speeds = (2 * full, full, full - 1, half, half - 1, 1)
    assert [fitting(speed).name for speed in speeds] == ["full", "full", "half", "half", "quarter", "quarter"]


def test_a_smaller_plan_has_fewer_steps_and_no_more_examples():
    sizes = [
        (plan.steps, plan.examples, plan.probes) for plan in (PLANS[name] for name in ("full", "half", "quarter", "smoke"))
    ]
    assert sizes == sorted(sizes, reverse=True)
