"""The sites of a deployment, as each process knows them: which domain is which, and what each one shows.

Every request asks, so the answer is kept. A change is told to all processes by a live signal; one that missed it, because Valkey
was away or the process was not there, reads again when the line is up again, when it starts, and now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Context as Variables
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from asyncpg import UndefinedTableError

from kameng.db import Statement
from kameng.events.failure import OUTAGES
from kameng.graphql.cancelling import ended
from kameng.sites.hosts import host_name
from kameng.sites.look import Look, read_look
from kameng.sites.settings import SitesSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.sites.book import ThemeBook

log = structlog.get_logger(__name__)

TOPIC = "sites.changed"
"""The live topic on which a change is told."""

SITES = Statement(
    "sites.read",
    """
    select s.id, s.code, s.title, v.number, v.look,
        array(select h.host from sites_host h where h.site = s.id order by h.position, h.host) as hosts
    from sites_site s left join sites_version v on v.site = s.id and v.number = s.published_number
    """,
)

DRAFT = Statement("sites.draft", "select draft, draft_revision from sites_site where id = $1")


@dataclass(frozen=True, slots=True)
class Site:
    """A site as its pages need it.

    Attributes:
        id, code, title: of the site.
        hosts: its domains, the first one the chief.
        version: the number of the look that is published; 0: none was yet.
        look: what visitors see.
    """

    id: UUID
    code: str
    title: str
    hosts: tuple[str, ...] = ()
    version: int = 0
    look: Look = field(default_factory=Look)


class SiteDirectory:
    """The sites as this process knows them.

    Args:
        kernel: where they are kept, and what tells of changes.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._pause = kernel.settings.section("sites", SitesSettings).read_again_seconds
        self._by_code: Mapping[str, Site] = MappingProxyType({})
        self._by_host: Mapping[str, str] = MappingProxyType({})
        self._configured: Mapping[str, str] = MappingProxyType({})
        self._default = ""
        # How many changes were heard of, and how many of them were there when the sites were last read.
        self._heard, self._read = 1, 0
        self._book: ThemeBook | None = None
        self._reading = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None

    # -- asking ------------------------------------------------------------------------------------------

    def code_of(self, host: str) -> str:
        """The code of the site that a request is for.

        Args:
            host: as the ``Host`` header has it; empty where nobody asked one.
        """
        name = host_name(host)
        return self._by_host.get(name) or self._configured.get(name, self._default)

    def knows(self, host: str) -> bool:
        """Whether a host is one of a site's own domains."""
        return host_name(host) in self._by_host

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all sites."""
        return frozenset(self._by_code)

    def site(self, host: str) -> Site | None:
        """The site that a request is for; None where only the settings know of it, or nothing was read yet."""
        return self._by_code.get(self.code_of(host))

    async def current(self) -> None:
        """Read again, if something is known to have changed."""
        if self._read < self._heard:
            await self.read()

    @property
    def book(self) -> ThemeBook:
        """The themes that sites may show."""
        # What reads themes is loaded by the first who asks: workers never do.
        from kameng.sites.book import ThemeBook

        if self._book is None:
            self._book = ThemeBook(self._kernel)
        return self._book

    async def draft(self, site: UUID) -> tuple[Look, int] | None:
        """A site's draft and its revision, always read."""
        row = await self._kernel.db.fetchrow(DRAFT, site)
        return None if row is None else (read_look(row["draft"]), row["draft_revision"])

    # -- what the deployment's settings say ---------------------------------------------------------------

    def configure(self, hosts: Mapping[str, str], default: str) -> None:
        """Sites that a module's settings name: for hosts that are no domain of a site here.

        Args:
            hosts: code by host.
            default: the code of all other hosts.
        """
        self._configured = {host_name(host): code for host, code in hosts.items()}
        self._default = default

    # -- following changes --------------------------------------------------------------------------------

    def tell_changed(self) -> None:
        """Tell all processes that sites have changed, once the transaction around has committed."""
        self._kernel.live.publish(TOPIC)
        # This process need not wait for its own signal: who has just published looks at the shop next.
        scope = self._kernel.db.scope
        if scope is None:
            self._hear()
        else:
            scope.after_commit(self._hear)

    def _hear(self) -> None:
        self._heard += 1

    async def start(self) -> None:
        """Read the sites and follow their changes."""
        await self.read()
        loop = asyncio.get_running_loop()
        self._listening = loop.create_task(self._listen(), name="kameng-sites", context=Variables())

    async def stop(self) -> None:
        """Follow them no longer."""
        if self._listening is not None:
            await ended(self._listening)
            self._listening = None

    async def read(self) -> None:
        """Read all sites. One statement."""
        async with self._reading:
            # Before reading: what is heard of meanwhile is read again.
            heard = self._heard
            try:
                rows = await self._kernel.db.fetch(SITES)
            except UndefinedTableError:
                rows = []  # a kernel that is about to migrate a new shop; whoever asks after that reads again
                self._heard += 1
            sites = [
                Site(
                    row["id"],
                    row["code"],
                    row["title"],
                    tuple(row["hosts"]),
                    row["number"] or 0,
                    read_look(row["look"]) if row["look"] else Look(),
                )
                for row in rows
            ]
            self._by_code = {site.code: site for site in sites}
            self._by_host = {host: site.code for site in sites for host in site.hosts}
            self._read = heard

    async def _listen(self) -> None:
        async with self._kernel.live.subscribe(TOPIC) as signals:
            while True:
                # A signal, or the word that some may have been missed: the same is to be done.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause):
                        await anext(signals)
                        self._hear()
                try:
                    await self.read()
                except OUTAGES as error:
                    log.warning("sites were not read", error=type(error).__name__)
                except Exception:  # whatever it was: without this task no change would be seen any more
                    log.error("sites were not read", exc_info=True)
