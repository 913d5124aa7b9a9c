"""Calling others' servers: only where one may, and always knowing whether something was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from kameng.outgoing import AddressForbidden, Caller, Guard, NameUnknown, NotSent, Unanswered

HERE = Guard(loopback=True)

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[str]:
    """A server of this machine that answers as it likes; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reply(reader, writer)
        finally:
            writer.close()

    started = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{started.sockets[0].getsockname()[1]}"
    started.close()
    await started.wait_closed()


def says(body: bytes, *, told: int | None = None, seen: list[bytes] | None = None) -> Reply:
    """A server that hears a request and says something, of which it tells the length."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        length = len(body) if told is None else told
        writer.write(
            f"HTTP/1.1 201 Created\r\nX-Kind: plain\r\nContent-Length: {length}\r\n\r\n".encode() + body
        )
        await writer.drain()

    return reply


async def test_an_answer_comes_whole_with_its_status_and_headers() -> None:
    seen: list[bytes] = []
    async with server(says(b"hello", seen=seen)) as url:
        answer = await Caller(HERE, 5, 100).request(
            "POST", f"{url}/pay?a=1", headers={"x-a": "b"}, body=b"xy"
        )
    assert (answer.status, answer.headers["x-kind"], answer.body) == (201, "plain", b"hello")
    assert seen[0].startswith(b"POST /pay?a=1 HTTP/1.1\r\n")
    assert b"x-a: b\r\n" in seen[0]
    assert b"content-length: 2\r\n" in seen[0]


async def test_what_is_too_long_or_breaks_off_or_does_not_come_is_unanswered() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    for reply, seconds in ((says(b"x" * 101), 5.0), (says(b"half", told=100), 5.0), (silent, 0.2)):
        async with server(reply) as url:
            with pytest.raises(Unanswered):
                await Caller(HERE, seconds, 100).request("GET", url)


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with server(says(b"")) as url:
        pass
    with pytest.raises(NotSent, match="no connection"):
        await Caller(HERE, 5, 100).request("GET", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:1/",
        "http://shop.example/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://user:word@shop.example/",
        "nonsense",
    ],
)
async def test_what_may_not_be_called_is_not(url: str) -> None:
    with pytest.raises(AddressForbidden):
        await Caller(Guard(), 5, 100).request("GET", url)
    with pytest.raises(AddressForbidden):
        Guard().check(url)


def names(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A look-up that knows these addresses alone."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_a_name_that_leads_inside_is_not_called_unless_an_operator_has_opened_it() -> None:
    url = "https://erp.internal/"
    with pytest.raises(AddressForbidden):
        await Guard().find(url, names("10.0.0.7"))
    with pytest.raises(AddressForbidden):
        await Guard().find(url, names("8.8.8.8", "10.0.0.7"))
    opened = Guard(private_hosts=("erp.internal",))
    assert (await opened.find(url, names("10.0.0.7")))[1] == ["10.0.0.7"]
    # any port will do
    assert (await Guard().find("https://shop.example:8443/", names("8.8.8.8")))[0].port == 8443


async def test_a_name_that_nobody_knows_and_one_that_takes_too_long_send_nothing() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    async def slow(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    with pytest.raises(NameUnknown):
        await Caller(Guard(), 5, 100, unknown).request("GET", "https://shop.example/")
    with pytest.raises(NotSent, match="in time"):
        await Caller(Guard(), 0.05, 100, slow).request("GET", "https://shop.example/")
