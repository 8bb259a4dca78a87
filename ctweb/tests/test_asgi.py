"""The application as the server runs it: what stands before the live socket."""

import pytest
from channels.testing import WebsocketCommunicator

from ctweb.asgi import application
from ctweb.live.protocol import Close


def socket(origin: str) -> WebsocketCommunicator:
    return WebsocketCommunicator(application, "/ws/live/", headers=[(b"origin", origin.encode())])


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1.evil.example", "null"])
async def test_a_page_of_another_host_cannot_open_the_socket(origin):
    connected, _ = await socket(origin).connect()
    assert not connected


async def test_a_page_of_ours_without_a_session_is_told_to_sign_in():
    tab = socket("http://127.0.0.1:8080")
    connected, _ = await tab.connect()
    assert connected
    assert await tab.receive_output() == {"type": "websocket.close", "code": Close.SIGNED_OUT}
