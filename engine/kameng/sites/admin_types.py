"""GraphQL types of the back office: sites, their looks, and the themes that there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from kameng.graphql.actors import staff_name
from kameng.graphql.context import Context, Info
from kameng.graphql.node import Node
from kameng.ids import global_id
from kameng.sites import statements
from kameng.sites.directory import SiteDirectory
from kameng.sites.look import Logo, Look, read_look
from kameng.sites.previews import address_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kameng.sites.book import BookTheme

READ = "sites.read_sites"
"""The permission to see sites, drafts and their history."""

MANAGE = "sites.manage_sites"
"""The permission to make sites and say which domains they have."""

EDIT = "sites.edit_looks"
"""The permission to change drafts and to preview them."""

PUBLISH = "sites.publish_looks"
"""The permission to show a draft, or an older version, to visitors."""


@strawberry.enum(description="Whether visitors see what the draft says.")
class SiteState(Enum):
    """Whether visitors see what the draft says."""

    UNTOUCHED = strawberry.enum_value(
        "untouched", description="Nothing was published: the deployment's theme as it is."
    )
    PUBLISHED = strawberry.enum_value("published", description="Visitors see the draft.")
    CHANGED = strawberry.enum_value("changed", description="The draft is ahead of what visitors see.")


@strawberry.enum(description="What is filled in for a setting.")
class SiteSettingKind(Enum):
    """What is filled in for a setting."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"


@strawberry.type(description="A storefront theme that is installed.")
class SiteTheme:
    """A theme."""

    name: str
    title: str
    version: str
    parent: str | None = strawberry.field(description="The theme that it is laid over.")
    is_default: bool = strawberry.field(description="Whether sites show it that choose none.")

    @strawberry.field(description="Why it cannot be published; empty for a theme that can. Takes a moment.")
    async def errors(self, info: Info) -> list[str]:
        """What keeps it from being shown."""
        from kameng.themes.finding import errors_in

        found = await info.context.service(SiteDirectory).book.findings(self.name)
        return [str(finding) for finding in errors_in(found)]

    @classmethod
    def of(cls, theme: BookTheme, default: str) -> SiteTheme:
        """A theme of the book."""
        return cls(
            name=theme.name,
            title=theme.title,
            version=theme.version,
            parent=theme.parent or None,
            is_default=theme.name == default,
        )


@strawberry.type(description="A site's own picture.")
class SiteLogo:
    """A logo."""

    url: str
    width: int
    height: int

    @classmethod
    def of(cls, logo: Logo | None) -> SiteLogo | None:
        """A logo of a look."""
        return cls(url=logo.url, width=logo.width, height=logo.height) if logo else None


@strawberry.type(description="A setting of the theme, and what the site says of it.")
class SiteSetting:
    """A setting."""

    name: str
    title: str = strawberry.field(description="In the reader's language, where the theme has it.")
    about: str
    kind: SiteSettingKind
    value: str | None = strawberry.field(
        description="What the site says; null: nothing, so that the default holds."
    )
    default: str
    choices: list[str]
    max_length: int | None
    minimum: float | None
    maximum: float | None


@strawberry.type(description="A design token of the theme, and what the site says of it.")
class SiteToken:
    """A token."""

    name: str
    kind: str = strawberry.field(description="Such as color, length or font.")
    about: str
    light: str | None = strawberry.field(
        description="What the site says; null: nothing. What isn't a colour stands here."
    )
    dark: str | None = strawberry.field(description="What the site says for the dark scheme; null: nothing.")
    shown_light: str = strawberry.field(description="What is shown now.")
    shown_dark: str = strawberry.field(description="What is shown now in the dark scheme.")


@strawberry.type(description="A theme, and what a site changes in it.")
class SiteLook:
    """A look."""

    stored: strawberry.Private[Look]

    @strawberry.field(description="The name of the theme that it chooses; null: the deployment's.")
    def theme(self) -> str | None:
        """The theme's name."""
        return self.stored.theme or None

    @strawberry.field(
        description="The colour that its palette is derived from; null: the theme's own palette."
    )
    def brand(self) -> str | None:
        """The brand colour."""
        return self.stored.brand or None

    @strawberry.field(description="Its own picture; null: the theme's.")
    def logo(self) -> SiteLogo | None:
        """The logo."""
        return SiteLogo.of(self.stored.logo)

    @strawberry.field(description="All settings of its theme; empty where the theme is gone.")
    def settings(self, info: Info) -> list[SiteSetting]:
        """The settings."""
        from kameng.sites.fields import setting_fields

        theme = _theme(info.context, self.stored)
        if theme is None:
            return []
        say = theme.speaker(info.context.locale)
        return [
            SiteSetting(
                name=field.name,
                title=say(field.title),
                about=say(field.about),
                kind=SiteSettingKind(field.kind),
                value=field.value,
                default=field.default,
                choices=list(field.choices),
                max_length=field.max_length,
                minimum=field.minimum,
                maximum=field.maximum,
            )
            for field in setting_fields(theme, self.stored)
        ]

    @strawberry.field(
        description="All tokens of its theme that a site may change; empty where the theme is gone."
    )
    def tokens(self, info: Info) -> list[SiteToken]:
        """The tokens."""
        from kameng.sites.fields import token_fields

        theme = _theme(info.context, self.stored)
        if theme is None:
            return []
        say = theme.speaker(info.context.locale)
        return [
            SiteToken(
                name=field.name,
                kind=field.kind,
                about=say(field.about),
                light=field.light,
                dark=field.dark,
                shown_light=field.shown_light,
                shown_dark=field.shown_dark,
            )
            for field in token_fields(theme, self.stored)
        ]


@strawberry.type(description="A shop under domains of its own.")
class Site(Node):
    """A site."""

    code: str = strawberry.field(description="What prices and reports name it by; empty: the operator's own.")
    title: str
    hosts: list[str] = strawberry.field(description="Its domains, the chief first.")
    address: str = strawberry.field(description="Where visitors reach it.")
    state: SiteState
    version: int | None = strawberry.field(
        description="The number of the version that visitors see; null: none yet."
    )
    shown: SiteLook = strawberry.field(description="What visitors see.")
    draft: SiteLook
    draft_revision: int = strawberry.field(
        description="Counts the draft's changes; who changes it says which he has seen."
    )
    draft_by: str | None = strawberry.field(description="Who changed it last, such as `staff:0189…`.")
    draft_at: datetime | None

    @strawberry.field(description="The name of who changed it last, where that was one of the staff.")
    async def draft_by_name(self, info: Info) -> str | None:
        """The name of who changed the draft."""
        return await staff_name(info.context, self.draft_by)

    @classmethod
    def of(cls, context: Context, row: Mapping[str, Any]) -> Site:
        """A site from a row of `statements.BY_KEYS`."""
        draft = read_look(row["draft"])
        shown = read_look(row["shown"]) if row["shown"] else Look()
        number = row["published_number"]
        state = SiteState.PUBLISHED if number else SiteState.UNTOUCHED
        return cls(
            id=strawberry.ID(global_id("Site", row["id"])),
            code=row["code"],
            title=row["title"],
            hosts=list(row["hosts"]),
            address=address_of(context.kernel, row["hosts"]),
            state=SiteState.CHANGED if draft != shown else state,
            version=number,
            shown=SiteLook(stored=shown),
            draft=SiteLook(stored=draft),
            draft_revision=row["draft_revision"],
            draft_by=row["draft_by"] or None,
            draft_at=row["draft_at"],
        )


@strawberry.type(description="A look as it was published.")
class SiteVersion(Node):
    """A version."""

    number: int
    look: SiteLook
    note: str
    restored_number: int | None = strawberry.field(
        description="The version that it brought back; null: none."
    )
    published_by: str = strawberry.field(description="Who published it, such as `staff:0189…`.")
    published_at: datetime
    is_shown: bool = strawberry.field(description="Whether visitors see it.")

    @strawberry.field(description="The name of who published it, where that was one of the staff.")
    async def published_by_name(self, info: Info) -> str | None:
        """The name of who published it."""
        return await staff_name(info.context, self.published_by)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SiteVersion:
        """A version from a row of its table, with the number that its site shows."""
        return cls(
            id=strawberry.ID(global_id("SiteVersion", row["id"])),
            number=row["number"],
            look=SiteLook(stored=read_look(row["look"])),
            note=row["note"],
            restored_number=row["restored_number"],
            published_by=row["published_by"],
            published_at=row["published_at"],
            is_shown=row["number"] == row["published_number"],
        )


async def site_nodes(context: Context, keys: Sequence[UUID]) -> list[Site | None]:
    """Sites by key, for ``node(id:)``. One statement."""
    if not context.principal.may(READ):
        return [None] * len(keys)
    rows = {row["id"]: row for row in await context.db.fetch(statements.BY_KEYS, list(keys))}
    return [Site.of(context, rows[key]) if key in rows else None for key in keys]


async def version_nodes(context: Context, keys: Sequence[UUID]) -> list[SiteVersion | None]:
    """Versions by key, for ``node(id:)``. One statement."""
    if not context.principal.may(READ):
        return [None] * len(keys)
    rows = {row["id"]: row for row in await context.db.fetch(statements.VERSIONS_BY_KEYS, list(keys))}
    return [SiteVersion.of(rows[key]) if key in rows else None for key in keys]


def _theme(context: Context, look: Look) -> BookTheme | None:
    from kameng.sites.errors import ThemeUnusable

    try:
        return context.service(SiteDirectory).book.theme(look.theme)
    except ThemeUnusable:
        return None
