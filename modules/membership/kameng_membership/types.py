"""GraphQL types that both schemas show: a level and a member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.graphql import Context, Info, Node
from kameng.ids import global_id
from kameng_membership.levels import StoredLevel, read_levels
from kameng_membership.statements import READ_MEMBERS


@strawberry.type(description="A level of members, which says at which prices they buy.")
class Level:
    """A level of members."""

    stored: strawberry.Private[StoredLevel]
    code: str = strawberry.field(description="Its code, which is also the price tier: retail, gold, …")

    @strawberry.field(description="Its name in the language of the request.")
    def title(self, info: Info) -> str:
        """Its name."""
        return self.stored.title_zh if info.context.locale.startswith("zh") else self.stored.title_en

    @classmethod
    def of(cls, level: StoredLevel) -> Level:
        """A stored level as GraphQL shows it."""
        return cls(stored=level, code=level.code)


@strawberry.type(description="Somebody who buys here.")
class Member(Node):
    """Somebody who buys here."""

    level_id: strawberry.Private[UUID]
    email: str
    display_name: str
    locale: str = strawberry.field(description="The language of mails to this member: zh-CN or en.")
    created_at: datetime

    @strawberry.field(description="The member's level.")
    async def level(self, info: Info) -> Level:
        """The member's level."""
        return await info.context.loader(_LEVELS, _level_loader).load(self.level_id)


_LEVELS = object()


def _level_loader(context: Context) -> DataLoader[UUID, Level]:
    async def load(keys: list[UUID]) -> list[Level]:
        levels = {level.id: Level.of(level) for level in await read_levels(context.db)}
        return [levels[key] for key in keys]

    return DataLoader(load_fn=load)


def member_of(row: Mapping[str, Any]) -> Member:
    """A stored member as the shop shows it."""
    return Member(
        id=strawberry.ID(global_id("Member", row["id"])),
        level_id=row["level"],
        email=row["email"],
        display_name=row["display_name"],
        locale=row["locale"],
        created_at=row["created_at"],
    )


async def member_rows(context: Context, keys: Sequence[UUID]) -> list[Mapping[str, Any] | None]:
    """Stored members in the order of their keys. One statement."""
    found: dict[UUID, Mapping[str, Any]] = {
        row["id"]: row for row in await context.db.fetch(READ_MEMBERS, list(keys))
    }
    return [found.get(key) for key in keys]
