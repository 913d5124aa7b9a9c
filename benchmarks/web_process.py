"""One web process: what it takes to compose all modules, and the memory it needs.

``process/composing``: processor time of a fresh interpreter until all modules are composed, libraries included; the reference is
one that imports the same libraries and nothing of ours. ``process/memory-start`` and ``process/memory-load``: megabytes of one
process of `kameng serve` with both themes on the demo data, before the first request and after the load (many of the same
documents, pages, and distinct documents until the caches are full); the reference is what it may need.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.figures import Figure, median, say
from benchmarks.graphql import LIST
from benchmarks.load import lua, run_wrk
from benchmarks.memory import children_of, memory_of
from benchmarks.running import process, services
from kameng.cli.seed import seed_all
from kameng.embedded.ports import free_port
from kameng.kernel import Kernel

DATA = Path(__file__).resolve().parent.parent / "examples" / "data"
MEGABYTES = 200
"""What a web process may need."""

COMPOSE = """
import sys, tempfile, time
from pathlib import Path
import kameng.http.app
from kameng.kernel import Kernel
from kameng.settings import Settings
kernel = Kernel(Settings({}, root=Path(tempfile.gettempdir())))
assert len(kernel.modules) >= 5, kernel.modules
taken = time.process_time()
import json
own = [name for name in sys.modules if name.startswith("kameng")]
libraries = [name for name in sys.modules if not name.startswith(("kameng", "__"))]
print(json.dumps([taken, libraries]))
"""
LIBRARIES = """
import sys, time
from importlib import import_module
for name in %r:
    try:
        import_module(name)
    except ImportError:
        pass  # a module of a name that its parent gave it
print(time.process_time())
"""
POST = """
wrk.method = "POST"
wrk.path = "/graphql/shop"
wrk.headers["content-type"] = "application/json"
wrk.body = %s
"""


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    rounds: int
    seconds: float
    distinct: int


SIZES = {"small": Size(rounds=5, seconds=5, distinct=3_000), "full": Size(9, 30, 20_000)}


async def measure(size: str) -> list[Figure]:
    """Composing, then memory."""
    wanted = SIZES[size]
    return [await _composing(wanted.rounds), *await _memory(wanted)]


async def _composing(rounds: int) -> Figure:
    ours, reference = [], []
    for number in range(rounds + 1):
        taken, libraries = json.loads(await _python(COMPOSE))
        alone = float(await _python(LIBRARIES % (libraries,)))
        if number:  # the first round warms up
            ours.append(taken)
            reference.append(alone)
            say(f"composing {number}: {taken:.2f} s, libraries alone {alone:.2f} s")
    return Figure(
        "process/composing", median(ours), median(reference), "importing the libraries", "s", "lower"
    )


async def _python(source: str) -> str:
    # An installed product has its bytecode; with this variable a working copy would be compiled anew each time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE, env=environment
    )
    output, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"a fresh interpreter ended with {child.returncode}")
    return output.decode().splitlines()[-1]


async def _memory(wanted: Size) -> list[Figure]:
    async with services() as (_, settings):
        async with Kernel(settings) as kernel:
            kernel.db.use()
            await seed_all(kernel, DATA)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "kameng", "serve", "--port", str(port), "--processes", "1"]
        async with process(command, f"{url}/readyz", settings):
            started = _largest()
            say(f"after start: {started}")
            async with httpx.AsyncClient(base_url=url) as client:
                for path in ("/", "/products", "/login", "/admin/login") * 20:
                    await client.get(path)
                await _distinct(client, wanted.distinct)
            body = json.dumps({"query": LIST, "variables": {"first": 20}})
            await run_wrk(url, POST % lua(body), connections=16, seconds=wanted.seconds)
            loaded = _largest()
            say(f"after load: {loaded}")
    return [
        Figure(
            f"process/memory-{name}",
            reading["Rss"],
            MEGABYTES,
            "what it may need",
            "MB",
            "lower",
            f"of which {reading['Pss']:.0f} MB are its own share",
        )
        for name, reading in (("start", started), ("load", loaded))
    ]


async def _distinct(client: httpx.AsyncClient, count: int) -> None:
    for number in range(count):
        query = (
            f"{{ a{number:06}: engineVersion products(first: 1) {{ nodes {{ b{number:06}: title slug }} }} }}"
        )
        answer = await client.post("/graphql/shop", json={"query": query})
        if answer.status_code != 200:
            raise RuntimeError(answer.text)


def _largest() -> dict[str, float]:
    """The memory of our largest child that runs Python: the web process."""
    readings = [
        memory_of(child)
        for child in children_of(os.getpid())
        if "python" in Path(f"/proc/{child}/exe").resolve().name
    ]
    return max(readings, key=lambda reading: reading["Rss"])
