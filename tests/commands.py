"""Runs `kameng` in processes that are forked from one which has imported everything already.

What every start imports takes longer than most commands; it is the same each time, and comes before anything that a test of a
command looks at. `python -m kameng` itself is run by other tests: those of broken packages, of faults, of the examples.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).parents[1]
OURS = ("KAMENG_", "DATABASE_URL", "REDIS_URL", "PORT", "HOST")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    errors: str


class Commands:
    """Runs commands one after the other; the process that they come from starts with the first."""

    def __init__(self) -> None:
        self._origin: subprocess.Popen[str] | None = None
        self._turn = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._origin is not None:
            self._origin.communicate()

    async def __call__(
        self, *arguments: str | Path, folder: Path, variables: Mapping[str, str] | None = None
    ) -> Ended:
        """Run `kameng` in a folder.

        Args:
            arguments: of the command.
            folder: where it runs.
            variables: its environment, beside what every process has.
        """
        async with self._turn:
            return await asyncio.to_thread(
                self._run, [str(part) for part in arguments], folder, variables or {}
            )

    async def anew(
        self, *arguments: str | Path, folder: Path, variables: Mapping[str, str] | None = None
    ) -> Ended:
        """Run `python -m kameng` from the beginning: for a test of what is imported."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kameng",
            *map(str, arguments),
            cwd=folder,
            env={**_inherited(), **(variables or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, output.decode(), errors.decode())

    def _run(self, arguments: list[str], folder: Path, variables: Mapping[str, str]) -> Ended:
        if self._origin is None:
            self._origin = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import be_the_origin; be_the_origin()"],
                cwd=ROOT,
                env=_inherited(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        with TemporaryDirectory() as place:
            output, errors = Path(place, "output"), Path(place, "errors")
            request = {
                "arguments": arguments,
                "folder": str(folder),
                "environment": {**_inherited(), **variables},
                "output": str(output),
                "errors": str(errors),
            }
            status = _ask(self._origin, request)
            return Ended(status, output.read_text("utf-8"), errors.read_text("utf-8"))


def _inherited() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(OURS)}


def _ask(origin: subprocess.Popen[str], request: Mapping[str, Any]) -> int:
    assert origin.stdin is not None
    assert origin.stdout is not None
    origin.stdin.write(json.dumps(request) + "\n")
    origin.stdin.flush()
    return int(origin.stdout.readline())


def be_the_origin() -> None:
    """Import everything; then, for each request on standard input, fork, and tell how the fork ended."""
    from kameng.cli import main
    from kameng.cli.group import BUILT_IN
    from kameng.loader import load_modules
    from kameng.settings import read_settings

    for place in BUILT_IN.values():
        import_module(place.partition(":")[0])
    load_modules(read_settings(environ={}))
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            main()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(request: dict[str, Any]) -> None:
    """Be as if started by these arguments, in this folder and environment."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["kameng", *request["arguments"]]
    for stream, path, mode in (
        (sys.stdin, os.devnull, "r"),
        (sys.stdout, request["output"], "w"),
        (sys.stderr, request["errors"], "w"),
    ):
        _redirect(stream, path, mode)


def _redirect(stream: IO[str], path: str, mode: str) -> None:
    with Path(path).open(mode) as file:
        os.dup2(file.fileno(), stream.fileno())
