from tests.unit.links.telephony.jtapi.java_world import Call, VendorCall

from unified_agent.links.telephony.jtapi.java_calls import OVER_LIMIT, CallNames


class Equal(Call):
    """Two objects for one call, as a client library gives them."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal) and self.number == other.number

    def __hash__(self) -> int:
        return self.number


def test_the_switchs_own_id_is_the_name_where_it_is_told():
    assert CallNames().name_of(VendorCall(4711)) == "4711"


def test_no_call_has_no_name():
    assert CallNames().name_of(None) == ""


def test_equal_objects_have_one_name_and_others_another():
    names = CallNames()
    assert names.name_of(Equal(1)) == names.name_of(Equal(1))
    assert names.name_of(Equal(1)) != names.name_of(Equal(2))


def test_a_call_that_is_over_keeps_its_name_for_late_events_and_is_forgotten_in_the_end():
    names = CallNames()
    first = names.name_of(Equal(0))
    names.over(Equal(0))
    assert names.name_of(Equal(0)) == first
    for number in range(1, 3 * OVER_LIMIT):
        names.name_of(Equal(number))
        names.over(Equal(number))
    assert len(names) == OVER_LIMIT
    assert names.name_of(Equal(0)) != first
