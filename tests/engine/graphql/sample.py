"""A module with lists, pages and mutations: enough to be attacked, charged and repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Any
from uuid import UUID

import strawberry

from kameng.auth import PrincipalDirectory
from kameng.auth.principal import PrincipalKind
from kameng.errors import Refusal
from kameng.graphql import Connection, Context, Info, Node, mutation, payload
from kameng.graphql.cost import cost
from kameng.graphql.live import MISSED
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.uploads import IMPORTED, UploadedFile
from kameng.ids import global_id, new_id
from kameng.module import Module, Provide, SchemaPart

ORDER = Keyset("things", (("id", "uuid"),))


class NoneLeft(Refusal):
    """There is none left."""

    code = "NONE_LEFT"


@strawberry.type
class Tag:
    name: str


@strawberry.type
class Thing(Node):
    title: str

    @strawberry.field
    def tags(self) -> list[Tag]:
        return [Tag(name="new")]

    @strawberry.field
    def parts(
        self, first: int | None = None, after: str | None = None, last: int | None = None
    ) -> Connection[Thing]:
        return page(first)


def page(first: int | None) -> Connection[Thing]:
    SEEN.resolved += 1
    rows = [Thing(id=strawberry.ID(global_id("Thing", new_id())), title="A thing")]
    return PageRequest.of(first).connection(rows, ORDER, lambda row: [row.id], lambda row: row)


class Seen:
    """What the resolvers were asked."""

    resolved = 0
    added = 0
    files: list[UploadedFile] = []
    pause: asyncio.Event | None = None
    started: asyncio.Event | None = None


SEEN = Seen()


@strawberry.type
class ThingQuery:
    @strawberry.field
    def things(self, first: int | None = None, after: str | None = None) -> Connection[Thing]:
        return page(first)

    @strawberry.field(metadata=cost(30, size=50))
    def report(self) -> list[Tag]:
        return []


@payload(NoneLeft)
class AddThingPayload:
    """The thing that was added."""

    number: int | None = None
    title: str | None = None

    @strawberry.field
    def broken(self) -> str:
        """Fails after the mutation has done its work."""
        raise ZeroDivisionError("broken")


async def add(context: Context, title: str) -> int:
    SEEN.added += 1
    if SEEN.started is not None:
        SEEN.started.set()
    number: int = await context.db.fetchval(
        "insert into sample_thing (title) values ($1) returning id", title
    )
    if SEEN.pause is not None:
        await SEEN.pause.wait()
    if title == "sold out":
        raise NoneLeft("None is left.", cure="Come back later.")
    return number


@strawberry.input
class KeepFilesInput:
    files: list[UploadedFile]
    cover: UploadedFile | None = None
    table: UploadedFile | None = strawberry.field(default=None, metadata=IMPORTED)
    note: str = ""


@payload()
class KeepFilePayload:
    """What was read."""

    names: list[str] = strawberry.field(default_factory=list)
    hashes: list[str] = strawberry.field(default_factory=list)


def kept(files: list[UploadedFile]) -> KeepFilePayload:
    SEEN.added += 1
    hashes = []
    for file in files:
        with file.open() as opened:
            content = opened.read()
        assert len(content) == file.size
        hashes.append(sha256(content).hexdigest())
        SEEN.files.append(file)
    return KeepFilePayload(names=[file.name for file in files], hashes=hashes)


@strawberry.type
class ThingMutation:
    @mutation
    async def keep_file(self, info: Info, file: UploadedFile) -> KeepFilePayload:
        """Read a file."""
        return kept([file])

    @mutation
    async def keep_files(self, info: Info, input: KeepFilesInput) -> KeepFilePayload:  # noqa: A002 - GraphQL's name
        """Read several files."""
        return kept([*input.files, *(file for file in (input.cover, input.table) if file)])

    @mutation
    async def add_thing(self, info: Info, title: str) -> AddThingPayload:
        """Add a thing."""
        return AddThingPayload(number=await add(info.context, title), title=title)

    @mutation(idempotency="own")
    async def add_own_way(self, info: Info, title: str) -> AddThingPayload:
        """Add a thing; the key is this mutation's own business."""
        number = await add(info.context, f"{title} {info.context.idempotency_key}")
        return AddThingPayload(number=number, title=str(info.context.db.scope is not None))

    @mutation(idempotency="none")
    async def add_again(self, info: Info, title: str) -> AddThingPayload:
        """Add a thing as often as asked."""
        return AddThingPayload(number=await add(info.context, title), title=title)


@strawberry.type
class ThingSubscription:
    @strawberry.subscription(description="What is signalled on a topic, one after the other.")
    async def signalled(self, info: Info, topic: str) -> AsyncGenerator[str, None]:
        async with info.context.kernel.live.subscribe(f"sample:{topic}") as signals:
            async for signal in signals:
                yield "missed" if signal is MISSED else signal


class Everybody:
    """A directory in which everybody is listed and may do nothing in particular."""

    async def permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        return frozenset()


PART: dict[str, Any] = {
    "query": ThingQuery,
    "mutation": ThingMutation,
    "subscription": ThingSubscription,
}
SAMPLE = Module(
    name="sample",
    version="1",
    shop=SchemaPart(**PART),
    admin=SchemaPart(**PART),
    provides=(Provide(PrincipalDirectory, lambda _kernel: Everybody()),),
)
TABLE = "create table sample_thing (id bigint generated always as identity primary key, title text not null)"
