"""Load by wrk, which is not the bottleneck; without it, by a small client of our own, and then that is said."""

import asyncio
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

WRK = shutil.which("wrk")

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What a run of load saw.

    Attributes:
        rate: answered requests per second.
        p50, p99: latency in milliseconds.
        failed: answers that were no 2xx, and socket errors.
    """

    rate: float
    p50: float
    p99: float
    failed: int


async def run_wrk(url: str, script: str, *, connections: int, seconds: float, threads: int = 1) -> Load:
    """Run wrk with a Lua script.

    Raises:
        RuntimeError: wrk is not installed, or failed.
    """
    if WRK is None:
        raise RuntimeError("This benchmark needs wrk: apt install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as file:
        file.write(script)
    command = [
        WRK,
        f"-t{threads}",
        f"-c{connections}",
        f"-d{seconds:.0f}s",
        "--timeout",
        "20s",
        "--latency",
        "-s",
        file.name,
        url,
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    Path(file.name).unlink()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if process.returncode or rate is None:
        raise RuntimeError(output)
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed += sum(map(int, errors.groups())) if errors else 0
    return Load(float(rate[1]), _percentile(output, "50%"), _percentile(output, "99%"), failed)


def _percentile(output: str, name: str) -> float:
    found = re.search(rf"{re.escape(name)}\s+([\d.]+)(us|ms|s|m)", output)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")


def lua(value: object) -> str:
    """A Python value as a Lua literal."""
    if isinstance(value, list):
        return "{" + ", ".join(lua(item) for item in value) + "}"
    return json.dumps(value)
