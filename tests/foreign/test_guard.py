"""Foreign clients reach nothing beyond this machine."""

import pytest

from tests.foreign.running import NEEDS_CLIENTS, run

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]


async def test_no_way_of_a_client_leads_out_of_this_machine() -> None:
    ways = await run("reach_out.py", {})
    assert ways == dict.fromkeys(("socket", "urllib", "aiohttp", "a name", "websockets"), True)
