"""What Chromium does with our cookies on a developer's machine, where there is no TLS."""

import asyncio
import shutil

import pytest

from kameng.auth import SessionCookie

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here"),
]


async def answer(reader, writer):
    """``/`` sets both cookies and redirects to ``/check``, which shows what came back."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    head, *lines = request.split("\r\n")
    if head.startswith("GET / "):
        cookies = "".join(
            f"Set-Cookie: {SessionCookie(schema).header(f'kms_{schema}', max_age=60)}\r\n"
            for schema in ("shop", "admin")
        )
        writer.write(f"HTTP/1.1 302 Found\r\n{cookies}Location: /check\r\n".encode())
        body = b""
    else:
        body = "".join(line for line in lines if line.lower().startswith("cookie:")).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
    writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_it_keeps_and_returns_both_cookies_on_loopback_without_tls(host, tmp_path):
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        browser = await asyncio.create_subprocess_exec(
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--dump-dom",
            f"http://{host}:{port}/",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        page, _ = await browser.communicate()
    assert "__Host-kameng=kms_shop; __Host-kameng-admin=kms_admin" in page.decode()
