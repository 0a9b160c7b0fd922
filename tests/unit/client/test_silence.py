"""What a silence means."""

import pytest

from unified_agent.client.silence import Opinion, Silence, judge


@pytest.mark.parametrize(
    ("silent_s", "well", "means", "until_s"),
    [
        (0.0, False, Silence.NONE, 1.5),
        (1.4, False, Silence.NONE, 1.5),
        (1.5, False, Silence.ASK, 3.0),
        (2.9, True, Silence.ASK, 3.0),
        (3.0, False, Silence.SUSPECT, 6.0),
        (5.9, False, Silence.SUSPECT, 6.0),
        (6.0, False, Silence.DEAD, 6.0),
        (6.0, True, Silence.SUSPECT, 10.0),
        (10.0, True, Silence.DEAD, 10.0),
    ],
)
def test_a_silence_means_more_the_longer_it_is(silent_s, well, means, until_s):
    assert judge(silent_s, 1.0, well=well) == (means, until_s)


def test_who_promises_less_is_given_longer_and_who_promises_more_is_not_rushed():
    assert judge(2.9, 2.0, well=False) == (Silence.NONE, 3.0)
    assert judge(12.0, 2.0, well=False)[0] is Silence.DEAD
    assert judge(1.0, 0.2, well=False) == (Silence.NONE, 1.5)


@pytest.mark.parametrize(
    ("verdict", "can_take", "gone", "well"),
    [
        ("alive", True, False, True),
        ("suspect", True, False, False),
        ("dead", False, True, False),
        ("draining", True, True, False),
        ("draining", False, False, False),
        ("unknown", True, False, False),
        ("?", True, False, False),
    ],
)
def test_an_opinion_is_a_reason_to_go_to_stay_or_neither(verdict, can_take, gone, well):
    opinion = Opinion(verdict=verdict, can_take=can_take)
    assert (opinion.is_gone, opinion.is_well) == (gone, well)
