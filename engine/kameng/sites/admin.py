"""The sites' part of the back office."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from kameng.errors import InvalidInput, NotFound
from kameng.graphql.context import Context, Info
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.graphql.payload import mutation, payload
from kameng.graphql.uploads import UploadedFile
from kameng.ids import key_of
from kameng.sites import drafting, managing, publishing, statements
from kameng.sites.admin_types import EDIT, MANAGE, PUBLISH, READ, Site, SiteTheme, SiteVersion
from kameng.sites.directory import SiteDirectory
from kameng.sites.errors import (
    ContrastTooLow,
    DraftChanged,
    LogoRefused,
    SettingRefused,
    SiteRefused,
    ThemeUnusable,
    TokenRefused,
)
from kameng.sites.look import Look
from kameng.sites.previews import preview_link

SITES = Keyset("sites-by-code", (("s.code", "text"),))
VERSIONS = Keyset("site-versions-newest", (("v.number", "int"),), descending=True)

_LONGEST_NOTE = 300


@strawberry.type
class SitesQuery:
    """Queries on sites."""

    @strawberry.field(description="Sites by their codes, the operator's own first. Needs sites.read_sites.")
    async def sites(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Site]:
        """A page of sites."""
        info.context.require(READ)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(SITES, 1)
        rows = await info.context.db.fetch(f"{statements.SITES_PAGE} where {behind} {tail}", *cursor)
        return page.connection(rows, SITES, lambda row: [row["code"]], lambda row: Site.of(info.context, row))

    @strawberry.field(description="A site. Needs sites.read_sites.")
    async def site(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> Site | None:
        """A site."""
        info.context.require(READ)
        rows = await info.context.db.fetch(statements.BY_KEYS, [key_of("Site", id)])
        return Site.of(info.context, rows[0]) if rows else None

    @strawberry.field(description="What a site has shown so far, the newest first. Needs sites.read_sites.")
    async def site_versions(
        self,
        info: Info,
        site_id: strawberry.ID,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[SiteVersion]:
        """A page of versions."""
        info.context.require(READ)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(VERSIONS, 2)
        rows = await info.context.db.fetch(
            f"{statements.VERSIONS_PAGE} where v.site = $1 and {behind} {tail}",
            key_of("Site", site_id),
            *cursor,
        )
        return page.connection(rows, VERSIONS, lambda row: [row["number"]], SiteVersion.of)

    @strawberry.field(description="The storefront themes that sites may show. Needs sites.read_sites.")
    async def site_themes(self, info: Info) -> list[SiteTheme]:
        """The themes that there are."""
        info.context.require(READ)
        book = info.context.service(SiteDirectory).book
        return [SiteTheme.of(theme, book.default) for theme in book.all()]


@strawberry.input(description="A site that is to be.")
class CreateSiteInput:
    """A site that is to be."""

    code: str = strawberry.field(description="Small letters, digits, hyphens, underscores; never changed.")
    title: str
    hosts: list[str] = strawberry.field(default_factory=list, description="Its domains, the chief first.")


@strawberry.input(description="A site as it is wanted.")
class ChangeSiteInput:
    """A site as it is wanted."""

    id: strawberry.ID
    title: str
    hosts: list[str] = strawberry.field(default_factory=list, description="Its domains, the chief first.")


@strawberry.input(description="A value of a setting; an empty one or null: the theme's own.")
class SiteSettingInput:
    """A value of a setting."""

    name: str
    value: str | None = None


@strawberry.input(description="Values of a token; empty ones or null: the theme's own.")
class SiteTokenInput:
    """Values of a token."""

    name: str
    light: str | None = strawberry.field(default=None, description="What isn't a colour stands here.")
    dark: str | None = None


@strawberry.input(description="A draft as it is wanted; what is left out is as the theme has it.")
class SaveSiteDraftInput:
    """A draft as it is wanted."""

    id: strawberry.ID
    revision: int = strawberry.field(description="draftRevision of the draft that was seen.")
    theme: str | None = strawberry.field(
        default=None, description="The theme's name; null or empty: the deployment's."
    )
    brand: str | None = strawberry.field(
        default=None, description="A colour that the palette is derived from."
    )
    settings: list[SiteSettingInput] = strawberry.field(default_factory=list)
    tokens: list[SiteTokenInput] = strawberry.field(default_factory=list)


@strawberry.input(description="A picture for a draft.")
class SetSiteLogoInput:
    """A picture for a draft."""

    id: strawberry.ID
    revision: int = strawberry.field(description="draftRevision of the draft that was seen.")
    file: UploadedFile = strawberry.field(description="PNG, JPEG or WebP.")


@strawberry.input(description="The draft whose logo is taken away.")
class RemoveSiteLogoInput:
    """The draft whose logo is taken away."""

    id: strawberry.ID
    revision: int = strawberry.field(description="draftRevision of the draft that was seen.")


@strawberry.input(description="The draft to throw away.")
class DiscardSiteDraftInput:
    """The draft to throw away."""

    id: strawberry.ID
    revision: int = strawberry.field(description="draftRevision of the draft that was seen.")


@strawberry.input(description="The draft to publish.")
class PublishSiteInput:
    """The draft to publish."""

    id: strawberry.ID
    revision: int = strawberry.field(description="draftRevision of the draft that was seen.")
    note: str | None = strawberry.field(default=None, description="What is new, for the history.")


@strawberry.input(description="The version to show again.")
class RestoreSiteVersionInput:
    """The version to show again."""

    id: strawberry.ID
    revision: int = strawberry.field(
        description="draftRevision of the draft that was seen; its changes are lost."
    )
    version: strawberry.ID


@payload(SiteRefused)
class CreateSitePayload:
    """The new site, or why there is none."""

    site: Site | None = None


@payload(SiteRefused)
class ChangeSitePayload:
    """The site, or why it stays as it was."""

    site: Site | None = None


@payload(ThemeUnusable, SettingRefused, TokenRefused, ContrastTooLow, DraftChanged)
class SaveSiteDraftPayload:
    """The site with its draft, or why the draft stays as it was."""

    site: Site | None = None


@payload(LogoRefused, DraftChanged)
class SetSiteLogoPayload:
    """The site with its draft, or why the draft stays as it was."""

    site: Site | None = None


@payload(DraftChanged)
class RemoveSiteLogoPayload:
    """The site with its draft, or why the draft stays as it was."""

    site: Site | None = None


@payload(DraftChanged)
class DiscardSiteDraftPayload:
    """The site with its draft, or why the draft stays as it was."""

    site: Site | None = None


@payload(ThemeUnusable, SettingRefused, TokenRefused, ContrastTooLow, DraftChanged)
class PublishSitePayload:
    """The site, or why visitors see what they saw."""

    site: Site | None = None


@payload(ThemeUnusable, SettingRefused, TokenRefused, ContrastTooLow, DraftChanged)
class RestoreSiteVersionPayload:
    """The site, or why visitors see what they saw."""

    site: Site | None = None


@payload()
class CreateSitePreviewPayload:
    """A link to the draft."""

    url: str | None = strawberry.field(default=None, description="Shows the draft to whoever has it.")
    expires_at: datetime | None = None


@strawberry.type
class SitesMutation:
    """Mutations on sites."""

    @mutation
    async def create_site(self, info: Info, input: CreateSiteInput) -> CreateSitePayload:  # noqa: A002 - GraphQL's name
        """Make a site. Needs sites.manage_sites."""
        info.context.require(MANAGE)
        key = await managing.create_site(info.context, input.code, input.title, input.hosts)
        return CreateSitePayload(site=await _site(info.context, key))

    @mutation
    async def change_site(self, info: Info, input: ChangeSiteInput) -> ChangeSitePayload:  # noqa: A002 - GraphQL's name
        """Say anew what a site is called and which domains it has. Needs sites.manage_sites."""
        info.context.require(MANAGE)
        key = key_of("Site", input.id)
        await managing.change_site(info.context, key, input.title, input.hosts)
        return ChangeSitePayload(site=await _site(info.context, key))

    @mutation
    async def save_site_draft(self, info: Info, input: SaveSiteDraftInput) -> SaveSiteDraftPayload:  # noqa: A002 - GraphQL's name
        """Change a site's draft; visitors see it when it is published. Needs sites.edit_looks."""
        info.context.require(EDIT)
        key = key_of("Site", input.id)
        look, settings, tokens = _wanted(info.context, input)
        await drafting.save_draft(info.context, key, input.revision, look, settings, tokens)
        return SaveSiteDraftPayload(site=await _site(info.context, key))

    # The name of a picture is made of its content, and the revision lets it happen once; bringing it to the store needs the
    # network, for which no transaction waits.
    @mutation(idempotency="none")
    async def set_site_logo(self, info: Info, input: SetSiteLogoInput) -> SetSiteLogoPayload:  # noqa: A002 - GraphQL's name
        """Show a picture as the logo of a site's draft. Needs sites.edit_looks."""
        info.context.require(EDIT)
        key = key_of("Site", input.id)
        await drafting.set_logo(info.context, key, input.revision, input.file)
        return SetSiteLogoPayload(site=await _site(info.context, key))

    @mutation
    async def remove_site_logo(self, info: Info, input: RemoveSiteLogoInput) -> RemoveSiteLogoPayload:  # noqa: A002 - GraphQL's name
        """Show the theme's own logo in a site's draft. Needs sites.edit_looks."""
        info.context.require(EDIT)
        key = key_of("Site", input.id)
        await drafting.remove_logo(info.context, key, input.revision)
        return RemoveSiteLogoPayload(site=await _site(info.context, key))

    @mutation
    async def discard_site_draft(self, info: Info, input: DiscardSiteDraftInput) -> DiscardSiteDraftPayload:  # noqa: A002 - GraphQL's name
        """Make a site's draft what visitors see. Needs sites.edit_looks."""
        info.context.require(EDIT)
        key = key_of("Site", input.id)
        await drafting.discard_draft(info.context, key, input.revision)
        return DiscardSiteDraftPayload(site=await _site(info.context, key))

    @mutation
    async def publish_site(self, info: Info, input: PublishSiteInput) -> PublishSitePayload:  # noqa: A002 - GraphQL's name
        """Show a site's draft to its visitors, in all processes at once. Needs sites.publish_looks."""
        info.context.require(PUBLISH)
        key, note = key_of("Site", input.id), (input.note or "").strip()
        if len(note) > _LONGEST_NOTE:
            raise InvalidInput(
                f"A note has at most {_LONGEST_NOTE} characters.", cure="Shorten it.", path=("input", "note")
            )
        await publishing.publish(info.context, key, input.revision, note)
        return PublishSitePayload(site=await _site(info.context, key))

    @mutation
    async def restore_site_version(
        self,
        info: Info,
        input: RestoreSiteVersionInput,  # noqa: A002 - GraphQL's name
    ) -> RestoreSiteVersionPayload:
        """Show an older version to visitors again; the history keeps both. Needs sites.publish_looks."""
        info.context.require(PUBLISH)
        key = key_of("Site", input.id)
        await publishing.restore(info.context, key, input.revision, key_of("SiteVersion", input.version))
        return RestoreSiteVersionPayload(site=await _site(info.context, key))

    # The answer opens the draft to whoever has it, so it is not kept.
    @mutation(idempotency="none")
    async def create_site_preview(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> CreateSitePreviewPayload:
        """Make a link that shows a site's draft for a while, to whoever has it. Needs sites.edit_looks."""
        info.context.require(EDIT)
        key = key_of("Site", id)
        site = await _site(info.context, key)
        link = preview_link(info.context.kernel, key, site.hosts)
        await drafting.record(
            info.context, "sites.preview_made", key, {"expires_at": link.expires_at.isoformat()}
        )
        return CreateSitePreviewPayload(url=link.url, expires_at=link.expires_at)


def _wanted(
    context: Context, given: SaveSiteDraftInput
) -> tuple[Look, dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The look that an input means, and where in it each setting and token stands."""
    from kameng.sites.fields import read_setting, token_value

    theme = drafting.theme_book(context).theme(given.theme or "")
    settings: dict[str, object] = {}
    tokens: dict[str, dict[str, str]] = {}
    places: dict[str, tuple[str, ...]] = {}
    token_places: dict[str, tuple[str, ...]] = {}
    for number, setting in enumerate(given.settings):
        if setting.value is not None and setting.value.strip():
            places[setting.name] = ("input", "settings", str(number), "value")
            settings[setting.name] = read_setting(theme, setting.name, setting.value, places[setting.name])
    for number, token in enumerate(given.tokens):
        kind = theme.tokens[token.name].type if token.name in theme.tokens else ""
        if value := token_value(kind, token.light, token.dark):
            token_places[token.name] = ("input", "tokens", str(number), "light")
            tokens[token.name] = value
    look = Look(theme=given.theme or "", brand=(given.brand or "").strip(), settings=settings, tokens=tokens)
    return look, places, token_places


async def _site(context: Context, key: UUID) -> Site:
    rows = await context.db.fetch(statements.BY_KEYS, [key])
    if not rows:
        raise NotFound("There is no such site.", cure="Look at the list of sites.")
    return Site.of(context, rows[0])
