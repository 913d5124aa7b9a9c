"""The Litestar handlers of themes: assets, pages and forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import HttpMethod, Request, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from kameng.sites.errors import PreviewRefused
from kameng.themes.answers import HttpAnswer
from kameng.themes.assets import ROOT, Asset
from kameng.themes.csp import ASSET_POLICY, new_nonce, page_headers
from kameng.themes.errors import ThemeError
from kameng.themes.posting import FormServer
from kameng.themes.previewing import REVISION, Previews, marked, told_revision
from kameng.themes.sending import ready_to_send
from kameng.themes.serving import PageServer

if TYPE_CHECKING:
    from kameng.sites.directory import Site
    from kameng.themes.loaded import LoadedTheme
    from kameng.themes.manifest import Kind
    from kameng.themes.serving import MakeContext
    from kameng.themes.themes import Themes

AnyRequest = Request[Any, Any, Any]

FOR_EVER = "public, max-age=31536000, immutable"
CHECK_FIRST = "public, no-cache"
READ = [HttpMethod.GET, HttpMethod.HEAD]


def asset_handler(themes: Themes) -> Any:
    """The route below ``/assets/<theme>/``. What it sends was read when the theme was made ready: a path is only looked up."""

    @route(f"{ROOT}/{{theme:str}}/{{path:path}}", http_method=READ, include_in_schema=False)
    async def assets(request: AnyRequest, theme: FromPath[str]) -> ASGIResponse:
        """An asset by its hashed name, or by its plain one, which must be asked for again each time."""
        found = themes.asset_theme(theme) or await themes.wardrobe.named(theme)
        name = request.scope["path"].removeprefix(f"{ROOT}/{theme}/")
        if found is None:
            raise NotFoundException("There is no such asset.")
        if asset := found.assets.public(name):
            return asset_answer(request, asset, FOR_EVER).for_method(request.method)
        if asset := found.assets.plain(name):
            return asset_answer(request, asset, CHECK_FIRST).for_method(request.method)
        raise NotFoundException("There is no such asset.")

    return assets


def asset_answer(request: AnyRequest, asset: Asset, caching: str) -> HttpAnswer:
    """An asset, compressed where the browser can read that, or the word that it has not changed."""
    packed = asset.compressed if "gzip" in request.headers.get("accept-encoding", "") else None
    # A strong ETag names bytes, so the compressed form has one of its own.
    etag = f'{asset.etag[:-1]}-gzip"' if packed else asset.etag
    headers = [
        ("cache-control", caching),
        ("content-security-policy", ASSET_POLICY),
        ("cross-origin-resource-policy", "same-origin"),
        ("etag", etag),
        ("x-content-type-options", "nosniff"),
    ]
    if asset.compressed is not None:
        headers.append(("vary", "Accept-Encoding"))
    asked = {item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")}
    if etag in asked or "*" in asked:
        return HttpAnswer(304, asset.media_type, b"", headers)
    if packed:
        headers.append(("content-encoding", "gzip"))
    return HttpAnswer(200, asset.media_type, packed or asset.body, headers)


def page_handlers(themes: Themes, kind: Kind, prefix: str, make_context: MakeContext) -> list[Any]:
    """The routes of all pages and forms of one kind of theme.

    Which page answers is the theme's to say and not the router's, since a theme may be replaced while we run.
    """
    development = not themes.kernel.settings.production
    servers: dict[str, PageServer] = {}
    previews = Previews(themes.kernel, themes.kernel.settings.public_url.startswith("https:"))

    def server(theme: LoadedTheme) -> PageServer:
        known = servers.get(theme.site)
        if known is None or known.theme is not theme:
            known = PageServer(theme, themes.kernel, make_context)
            if not theme.draft:
                servers[theme.site] = known
        return known

    async def served(serving: PageServer, request: AnyRequest) -> HttpAnswer:
        return await (FormServer(serving).post(request) if request.method == "POST" else serving.get(request))

    async def answered(request: AnyRequest) -> HttpAnswer:
        try:
            default = themes.fresh(kind) if development else themes.active(kind)
            site = (
                await themes.wardrobe.site(request.headers.get("host", "")) if kind == "storefront" else None
            )
            if site is None:
                return await served(server(default), request)
            return await of_site(request, site, default)
        except ThemeError as fault:
            # In development, or in a preview: its author reads here what is wrong with the theme.
            headers = page_headers(new_nonce(), private=True)
            return HttpAnswer(500, "text/plain; charset=utf-8", str(fault).encode(), headers)

    async def of_site(request: AnyRequest, site: Site, default: LoadedTheme) -> HttpAnswer:
        asked = previews.asked(request)
        if asked and asked != REVISION:
            try:
                return previews.begun(request, site, asked)
            except PreviewRefused as refusal:
                serving = server(await themes.wardrobe.published(site, default))
                return await serving.refuse(request, 403, refusal.message)
        drafted = await themes.wardrobe.draft(site, default) if previews.holds(request, site) else None
        if drafted is not None:
            theme, revision = drafted
            if asked == REVISION:
                return told_revision(revision)
            return marked(await served(server(theme), request), revision)
        return await served(server(await themes.wardrobe.published(site, default)), request)

    paths = [prefix or "/", f"{prefix}/{{rest:path}}"]

    @route(paths, http_method=READ, include_in_schema=False, name=f"theme_{kind}_pages")
    async def pages(request: AnyRequest) -> ASGIResponse:
        """A page."""
        return ready_to_send(request.headers, await answered(request)).for_method(request.method)

    @route(
        paths,
        http_method=HttpMethod.POST,
        status_code=303,
        include_in_schema=False,
        name=f"theme_{kind}_forms",
    )
    async def forms(request: AnyRequest) -> ASGIResponse:
        """A form."""
        return ready_to_send(request.headers, await answered(request)).for_method(request.method)

    return [pages, forms]
