"""New documents: what it takes to take one in, beside graphql-core's parsing and validation; and the memory that a flood takes.

``documents/themes`` and ``documents/generated``: parse, screen, validate, price and compile a document that was never seen, in
processor time; the reference is graphql-core's ``parse`` and ``validate`` of the same text. ``documents/memory``: by how much the
process has grown after a flood of documents of which no two are alike; the reference is the room that the caches have.
"""

import gc
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from graphql import parse, validate

from benchmarks.figures import Figure, median, say
from benchmarks.memory import own_memory
from kameng.graphql.admission import profile_of
from kameng.graphql.compiled import Invalid
from kameng.graphql.execution import CACHE_BYTES, Executor
from kameng.graphql.limits import Limits
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.testing.documents import random_document
from kameng.themes.themes import load_themes

SchemaName = Literal["shop", "admin"]
Documents = Sequence[tuple[SchemaName, str, str | None]]
"""Schema, text and operation of each document."""

INVALID_SHARE = 1 / 8
"""The room for invalid documents, beside that for valid ones."""


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    rounds: int
    generated: int
    flood: int


SIZES = {"small": Size(rounds=5, generated=80, flood=20_000), "full": Size(9, 200, 100_000)}


async def measure(size: str) -> list[Figure]:
    """Time first, then memory: the growth includes what the documents before the flood have left in the caches."""
    wanted = SIZES[size]
    with TemporaryDirectory(prefix="kameng-bench-") as folder:
        kernel = Kernel(Settings({}, root=Path(folder)))
        documents = {
            "themes": of_themes(kernel),
            "generated": generated(kernel, wanted.generated),
        }
        gc.collect()
        gc.freeze()  # as web processes do
        before = own_memory()
        figures = [_time(name, kernel, texts, wanted.rounds) for name, texts in documents.items()]
        return [*figures, _memory(kernel, documents["themes"], wanted.flood, before)]


def of_themes(kernel: Kernel) -> Documents:
    """All documents of both default themes."""
    themes = load_themes(kernel)
    return [
        (themes.active(kind).merged.schema, document.source, document.name)
        for kind in themes.kinds
        for document in themes.active(kind).all_documents()
    ]


def generated(kernel: Kernel, count: int) -> Documents:
    """Documents of all sorts, the same in each run."""
    numbers = random.Random(1)
    schemas: tuple[SchemaName, ...] = ("shop", "admin")
    found = []
    for index in range(count):
        schema = schemas[index % 2]
        document = random_document(kernel.schemas[schema]._schema, numbers, max_depth=6)
        found.append((schema, document.source, document.operation_name))
    return found


def take_in(executor: Executor, source: str, operation: str | None) -> None:
    """All that is done for a document before it runs for the first time."""
    prepared = executor.prepare(source, operation)
    if isinstance(prepared, Invalid):
        raise RuntimeError(f"{prepared.errors}: {source}")
    profile = profile_of(prepared, Limits().widened())
    prepared.keep_profile(profile, profile.size)
    if not prepared.compile(dict.fromkeys(prepared.usage.conditions, True)):
        raise RuntimeError(f"left to graphql-core: {source}")


def _time(name: str, kernel: Kernel, documents: Documents, rounds: int) -> Figure:
    ours, reference = [], []
    for number in range(rounds + 1):
        own = core = 0.0
        for schema, text, operation in documents:
            source = f"{text}\n# {name} {number}"  # never seen
            began = time.process_time()
            if validate(kernel.schemas[schema]._schema, parse(source)):
                raise RuntimeError(f"invalid: {source}")
            between = time.process_time()
            take_in(kernel.graphql[schema], source, operation)
            core += between - began
            own += time.process_time() - between
        if number:  # the first round warms up
            ours.append(own / len(documents) * 1_000)
            reference.append(core / len(documents) * 1_000)
            say(f"{name} {number}: {ours[-1]:.2f} ms, graphql-core {reference[-1]:.2f} ms")
    return Figure(
        f"documents/{name}",
        median(ours),
        median(reference),
        "graphql-core: parse and validate",
        "ms a document",
        "lower",
        f"{len(documents)} documents",
    )


def _memory(kernel: Kernel, documents: Documents, count: int, before: float) -> Figure:
    for number, (schema, source, operation) in enumerate(_flood(documents, count)):
        take_in(kernel.graphql[schema], source, operation)
        if number % 10_000 == 9_999:
            say(f"memory: {number + 1:,} documents, grown by {own_memory() - before:.0f} MB")
    gc.collect()
    room = len(kernel.graphql) * CACHE_BYTES * (1 + INVALID_SHARE) / 2**20
    return Figure(
        "documents/memory",
        own_memory() - before,
        room,
        "the caches' room",
        "MB grown",
        "lower",
        f"{count:,} distinct documents",
    )


def _flood(documents: Documents, count: int) -> Iterable[tuple[SchemaName, str, str | None]]:
    """Small documents and, one in ten, one of a theme; no two alike."""
    for number in range(count):
        if number % 10:
            schema: SchemaName = "shop" if number % 2 else "admin"
            yield schema, f"{{ a{number:06}: engineVersion viewer {{ b{number:06}: email }} }}", None
            continue
        schema, text, operation = documents[number // 10 % len(documents)]
        yield schema, f"{text}\n# {number}", operation
