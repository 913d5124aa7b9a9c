"""Asking the schema for what a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from graphql import GraphQLNonNull

from kameng.graphql.context import Context
from kameng.themes import answers
from kameng.themes.answers import PageFailure
from kameng.themes.coercion import Filled, fill_variables
from kameng.themes.documents import ThemeDocument
from kameng.themes.fields import grow
from kameng.themes.manifest import PageSpec
from kameng.themes.patterns import look_up
from kameng.themes.visit import Visit

if TYPE_CHECKING:
    from kameng.graphql.execution import Answer
    from kameng.themes.loaded import LoadedTheme

log = structlog.get_logger(__name__)


class Executes(Protocol):
    """What the theme engine needs of `kameng.graphql.execution.Executor`."""

    async def execute(
        self,
        source: str,
        variables: Mapping[str, Any] | None,
        context: Context,
        operation_name: str | None = None,
    ) -> Answer:
        """Run a query or mutation."""


@dataclass(frozen=True, slots=True)
class PageData:
    """The answer to a page's document.

    Attributes:
        data, errors: as templates get them.
        slots: keys of modules' pieces that got what they asked for.
        ran: whether there is any answer but errors.
        problems: message ids for query parameters that could not be read.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[Mapping[str, Any]] = ()
    slots: frozenset[str] = frozenset()
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ran: bool = True


GRANTED = "may_"
"""What begins the name of a variable that tells whether the viewer holds a permission: ``$may_catalog__read_products``."""


def _granted(document: ThemeDocument, context: Context) -> dict[str, str]:
    """The variables of a document that tell what the viewer may see, so that it asks for nothing else."""
    return {
        variable.name: str(
            context.principal.may(variable.name.removeprefix(GRANTED).replace("__", "."))
        ).lower()
        for variable in document.variables
        if variable.name.startswith(GRANTED)
    }


class Asking:
    """Runs the documents of one theme's pages.

    Args:
        theme: the theme.
        executor: runs documents of its schema.
    """

    def __init__(self, theme: LoadedTheme, executor: Executes) -> None:
        self._theme = theme
        self._executor = executor

    async def page(self, visit: Visit, page: PageSpec) -> PageData:
        """Run a page's document.

        Raises:
            PageFailure: it failed as a whole, or the page's subject is not there.
        """
        document = self._theme.page_documents.get(visit.page)
        if document is None:
            return await self.layout(visit)
        fixed = {**visit.parameters, **_granted(document, visit.context)}
        given = fill_variables(
            document.variables,
            grow(visit.query),
            fixed,
            nulls=False,
            forced=True,
            zone=self._theme.time_zone,
        )
        self._check_filled(document, given, visit.parameters)
        found = await self._execute(document, given.values, visit.context)
        if not found.ran or (page.subject and look_up(found.data, page.subject) is None):
            raise PageFailure(answers.status_of(answers.codes(found.errors)[0]) if found.errors else 404)
        return replace(found, problems=given.errors)

    async def layout(self, visit: Visit) -> PageData:
        """The data of the theme's layout document; none where that fails, since the page itself asks for nothing."""
        document = self._theme.layout_document
        return await self._execute(document, {}, visit.context) if document else PageData()

    def _check_filled(self, document: ThemeDocument, given: Filled, parameters: Mapping[str, str]) -> None:
        """A query parameter that cannot be read is left out; what the page cannot do without makes it a 404."""
        for variable in document.variables:
            needed = isinstance(variable.type, GraphQLNonNull) and not variable.has_default
            if needed and variable.name not in given.values:
                raise PageFailure(404)
        if any(name.partition(".")[0].partition("[")[0] in parameters for name in given.errors):
            raise PageFailure(404)
        for name in given.errors:
            given.values.pop(name.partition(".")[0].partition("[")[0], None)

    async def _execute(
        self, document: ThemeDocument, values: Mapping[str, Any], context: Context
    ) -> PageData:
        answer = await self._executor.execute(document.source, values, context)
        slots = document.contributions
        if document.slot_fields and any(
            document.slot_fields.intersection(map(str, error.get("path") or ()))
            for error in answer.errors or ()
        ):
            # What a module asked for failed, and may have taken the page's own data along: ask again without.
            log.warning("slots left out", document=document.file, errors=answer.errors)
            answer, slots = await self._executor.execute(document.bare, values, context), frozenset()
        if not isinstance(answer.data, dict):
            return PageData(errors=answer.errors or [], ran=False)
        return PageData(answer.data, answer.errors or [], slots)
