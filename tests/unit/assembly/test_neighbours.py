"""Which port an instance's server is given."""

from __future__ import annotations

from tests.simulation.virtual_loop import run
from tests.unit.assembly.test_instance import Place

from unified_agent.server.alone import Alone


def test_an_instance_without_a_store_knows_of_itself_only_and_counts_its_agents():
    async def main() -> None:
        place = Place(with_aes=False)
        where = place.instance.whereabouts
        assert isinstance(where, Alone)
        assert [each.id for each in where.topology().instances] == [place.instance.settings.instance]
        place.instance.draining = True
        assert where.topology().instances[0].state == "draining"

    run(main())
