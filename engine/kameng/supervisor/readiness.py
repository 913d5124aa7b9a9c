"""Whether a process does its work yet."""

import asyncio
import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

PROBE_SECONDS = 2.0
SETTLING = 0.25  # seconds; who cannot be asked is ready if he has not failed by then
FIRST_PAUSE = 0.02  # seconds between two looks; grows
LONGEST_PAUSE = 0.25


async def until_ready(ready: Callable[[], bool] | str | None) -> None:
    """Return when it is ready; the caller limits the time.

    Args:
        ready: as in `kameng.supervisor.ProcessSpec`.
    """
    if ready is None:
        await asyncio.sleep(SETTLING)
        return
    pause = FIRST_PAUSE
    while not await asyncio.to_thread(_looks_ready, ready):
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def answers(url: str) -> bool:
    """Whether this address answers ``GET`` with a 2xx status. Proxies are not asked: it is our own process."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="", fragment="").geturl() or "/")
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _looks_ready(ready: Callable[[], bool] | str) -> bool:
    return answers(ready) if isinstance(ready, str) else ready()
