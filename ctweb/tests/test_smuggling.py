"""Requests that two readers cut differently: a proxy in front would take for a body what we took for a request.

Each carries a second request that would halt everything, signed by an operator. It must never be read as one.
"""

import asyncio
import re
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from apps.feeds.tests.waiting import until
from apps.trading.models import RiskState
from apps.users.models import Audit
from apps.users.tests.people import person
from ctweb.asgi import http
from ctweb.tests.clients import stores_away

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ANSWER_S = 60
HEAD = "POST /api/v1/intents/preview HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
SIGNED = "Authorization: Token {token}\r\n"
HALT = (
    "POST /api/v1/risk/halt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Authorization: Token {token}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
)
CHUNKED = "Transfer-Encoding: chunked\r\n"
END = "0\r\n\r\n"
# name -> what stands between the first request's line and the halting one
AMBIGUOUS = {
    "a length and chunks": "Content-Length: 4\r\n" + CHUNKED + "\r\n" + END,
    "chunks and a length": CHUNKED + "Content-Length: 4\r\n\r\n" + END,
    "a length of nothing and chunks": "Content-Length: 0\r\n" + CHUNKED + "\r\n" + END,
    "two lengths": "Content-Length: 0\r\nContent-Length: 400\r\n\r\n",
    "two lengths, the other way": "Content-Length: 400\r\nContent-Length: 0\r\n\r\n",
    "two lengths in one": "Content-Length: 0, 400\r\n\r\n",
    "the same length twice": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a length with a plus": "Content-Length: +0\r\n\r\n",
    "a length below nothing": "Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": "Content-Length: 0x0\r\n\r\n",
    "a length that is empty": "Content-Length: \r\n\r\n",
    "a length beyond all numbers": "Content-Length: 18446744073709551616\r\n\r\n",
    "a length with a space before the colon": "Content-Length : 400\r\nContent-Length: 0\r\n\r\n",
    "chunks with a space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "chunks after a tab": "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n" + END,
    "chunks that are no chunks": "Transfer-Encoding: xchunked\r\n\r\n" + END,
    "chunks that are not last": "Transfer-Encoding: chunked, identity\r\n\r\n" + END,
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + END,
    "chunks in a folded line": "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "chunks behind a bare line feed": "X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "chunks behind a bare carriage return": "X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "chunks behind a NUL": "X-A: b\x00\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "a chunk of a size with a sign": CHUNKED + "\r\n+0\r\n\r\n",
    "a chunk of a size in words": CHUNKED + "\r\nzero\r\n\r\n",
    "a chunk of a size with a prefix": CHUNKED + "\r\n0x0\r\n\r\n",
    "a chunk of a size beyond all numbers": CHUNKED + "\r\n10000000000000000\r\n\r\n",
    "a chunk longer than it says": CHUNKED + "\r\n2\r\n{}{}{}\r\n" + END,
    "a chunk that ends with a bare line feed": CHUNKED + "\r\n2\n{}\n0\n\n",
    "a header without a name": ": chunked\r\nContent-Length: 0\r\n\r\n",
    "a header that is no header": "chunked\r\nContent-Length: 0\r\n\r\n",
}
OLD = ("HTTP/1.2", "HTTP/3.0", "http/1.1", "HTTP/1.1 x", "HTTP/1.1\r\nX", "HTTP/11", "")


@pytest.fixture
def token(settings) -> str:
    stores_away(settings)
    return str(AuthToken.objects.create(person("operator", "oleg"))[1])


@asynccontextmanager
async def web():
    """The port of a server that reads as ours does."""
    server = uvicorn.Server(uvicorn.Config(http, port=0, http="auto", ws="none", lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())  # `serve` would take the signals of the test run
    await until(lambda: server.started)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await serving


async def answers(port: int, sent: str) -> list[int]:
    """The codes of all answers until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent.encode("latin-1"))
    said = b""
    with suppress(ConnectionError):  # what was still on its way when it was hung up on
        async with asyncio.timeout(ANSWER_S):
            while more := await reader.read(100_000):
                said += more
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


@sync_to_async
def halted() -> bool:
    return RiskState.objects.filter(state="HALTED").exists() or Audit.objects.filter(action="risk.halt").exists()


async def test_the_second_request_does_halt_where_the_first_is_plain(token):
    async with web() as port:
        first = HEAD + SIGNED + "Content-Length: 2\r\n\r\n{{}}"
        assert await answers(port, (first + HALT).format(token=token)) == [403, 200]
    assert await halted()


@pytest.mark.parametrize("signed", ["", SIGNED])
async def test_what_can_be_cut_in_two_ways_is_refused_whole(token, signed):
    read = {}
    async with web() as port:
        for name, between in AMBIGUOUS.items():
            codes = await answers(port, (HEAD + signed).format(token=token) + between + HALT.format(token=token))
            if codes not in ([400], []) or await halted():
                read[name] = codes
    assert read == {}
    assert not await halted()


async def test_a_request_line_of_another_protocol_is_refused_whole(token):
    async with web() as port:
        for version in OLD:
            head = HEAD.replace("HTTP/1.1", version)
            codes = await answers(port, head + "Content-Length: 0\r\n\r\n" + HALT.format(token=token))
            assert codes in ([400], []), version
    assert not await halted()


async def test_a_body_is_never_read_as_a_request(token):
    """As long as it says: the halting request stands within it."""
    inner = HALT.format(token=token)
    async with web() as port:
        head = (HEAD + "Connection: close\r\n" + SIGNED).format(token=token)
        assert await answers(port, f"{head}Content-Length: {len(inner)}\r\n\r\n{inner}") == [403]
        assert await answers(port, f"{head}{CHUNKED}\r\n{len(inner):x}\r\n{inner}\r\n{END}") == [403]
    assert not await halted()
