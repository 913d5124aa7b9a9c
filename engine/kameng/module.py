"""What a module is: one frozen declaration of everything that it brings.

A module is a package with an entry point in the group ``kameng.modules`` that leads to a `Module`. The kernel reads the
declaration and wires the rest; a module never registers anything by being imported.

    module = Module(
        name="reviews",
        version="1.0.0",
        requires={"catalog": ">=0.1,<0.2"},
        piccolo_app="kameng_reviews.piccolo_app",
        shop=SchemaPart(mutation=ReviewsMutation, extend={"Product": ProductReviews}),
        permissions=(Permission("reviews.moderate", "Hide and restore reviews", "隐藏和恢复评价"),),
    )
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    import click
    import msgspec
    from litestar.types import ControllerRouterHandler

    from kameng.events import Event, Happened
    from kameng.graphql.context import Context
    from kameng.jobs import JobReport, JobRun
    from kameng.kernel import Kernel

ENTRY_POINT_GROUP = "kameng.modules"
"""The entry-point group in which modules are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPart:
    """A module's part of one GraphQL schema.

    Attributes:
        query, mutation, subscription: Strawberry types whose fields join the root types.
        extend: fields added to another module's type: the type's GraphQL name → a class of Strawberry fields, in whose
            resolvers ``self`` is the owner's object.
        types: types that no field leads to, such as implementations of an interface.
        nodes: how ``node(id:)`` finds the objects of a type, by the type's GraphQL name: an async callable that takes the
            context and keys and returns the objects in order, None where there is none that this principal may see.
    """

    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    extend: Mapping[str, type] = field(default_factory=lambda: MappingProxyType({}))
    types: tuple[type, ...] = ()
    nodes: Mapping[str, Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]] = field(
        default_factory=lambda: MappingProxyType({})
    )


@dataclass(frozen=True, slots=True)
class Provide:
    """A contract that the module fulfils.

    Attributes:
        contract: the protocol.
        factory: makes the service from the kernel, once for each kernel.
    """

    contract: type
    factory: Callable[[Kernel], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What the module does when an event has happened.

    The call runs inside a transaction that also records the event as handled, so its effects in the database happen once,
    however often the event is delivered. It makes no network calls there; for these it enqueues a task.

    Attributes:
        name: unique within the module, such as ``count_sales``; stable, since receipts are kept under it.
        event: the type of event.
        call: ``async (kernel, event)``; with ``batch`` ``async (kernel, events)``, a non-empty list.
        batch: whether many events are handed over together, in one transaction.
        attempts: how often it is tried before the delivery goes to the dead letters.
    """

    name: str
    event: type[Event]
    call: Callable[[Kernel, Any], Awaitable[None]]
    batch: bool = False
    attempts: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """What the module does with events of any module, of which an operator says while the shop runs which it wants.

    It hears of the topics that it has asked for by ``kernel.events.watch``, and costs nothing where there are none. All
    that is said of a `Handler` holds for it too.

    Attributes:
        name: unique within the module, handlers included; stable.
        call: ``async (kernel, events)``, a non-empty list of `kameng.events.Happened`, in one transaction.
        attempts: how often it is tried before the delivery goes to the dead letters.
    """

    name: str
    call: Callable[[Kernel, list[Happened]], Awaitable[None]]
    attempts: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work outside a request, run by a worker.

    Attributes:
        name: unique within the module.
        call: ``async (kernel, **arguments)`` with JSON arguments; may run twice, so it is idempotent.
        attempts: how often it is tried, with growing pauses, before it becomes a dead letter.
        every: run it on a schedule with this interval, by one process of the deployment.
    """

    name: str
    call: Callable[..., Awaitable[None]]
    attempts: int = 12
    every: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of bulk work that is started by people and goes on for a while: see `kameng.jobs`.

    Attributes:
        name: unique within the module, such as ``import_products``; stable.
        call: ``async (run)`` does the work in chunks of ``run`` and returns what it did.
        permission: who may start, see, cancel and roll back such jobs.
        title_en, title_zh: what an operator reads.
        roll_back: ``async (run)`` undoes what ``call`` noted; None where nothing can be undone.
        attempts: how often it may begin without finishing a chunk before it has failed.
        keep_input: whether the file it was started with stays after its end, until it is over. False for files full of secrets.
    """

    name: str
    call: Callable[[JobRun], Awaitable[JobReport]]
    permission: Permission
    title_en: str
    title_zh: str
    roll_back: Callable[[JobRun], Awaitable[JobReport]] | None = None
    attempts: int = 5
    keep_input: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationKind:
    """Something that the module tells people about: see `kameng.notify`.

    Its texts are Jinja templates in the folder, for each language of the product: ``<name>.<locale>.txt``, whose first line is
    the subject, then an empty one, then the text; and, if there is one, ``<name>.<locale>.html``.

    Attributes:
        name: unique within the module, such as ``order_completed``; stable.
        title_en, title_zh: what people read where they choose what they are told.
        templates: the folder, ``package:folder``.
        staff: the permission whose holders are told; None where it is for the one whom it concerns.
        optional: whether people may choose not to be told.
    """

    name: str
    title_en: str
    title_zh: str
    templates: str
    staff: str | None = None
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that only some principals may do.

    Attributes:
        name: ``module.verb_object``, stable, such as ``settlement.credit_wallet``.
        title_en, title_zh: what an operator reads when giving it to a role.
    """

    name: str
    title_en: str
    title_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A piece that the module puts into a theme's page without touching the theme.

    Attributes:
        place: the slot's name, such as ``product.after_description``.
        template: a template of the module, ``package:path``.
        fragment: a GraphQL fragment on the type that the page shows at the slot; its fields join the page's document.
        order: smaller comes first.
    """

    place: str
    template: str
    fragment: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that the module adds to whatever theme is shown, without touching the theme.

    Themes know it by the module's name and its own, ``reviews.list``. Its template begins with ``{% extends "layout.html" %}``
    and fills the block ``main``; a theme may write it anew as ``templates/modules/<module>/<path>``. The data of the theme's
    layout is there beside what the document asks for.

    Attributes:
        name: unique among the module's pages of a kind.
        kind: ``storefront`` or ``admin``.
        path: such as ``/reviews/{slug}``, without ``/admin``; a path that the theme has is the theme's.
        template: a template of the module, ``package:path``.
        document: one named GraphQL query, with its fragments; empty: the page needs no data. Variables are filled from path
            and query as those of themes are.
        title: a message id; ``{product.title}`` in it is filled from the data.
        requires: ``member`` or ``staff``: who must be logged in to see it.
        permission: what the viewer must hold to see it.
        subject: where in the data the thing stands that the page is about; where it is null the answer is 404.
        private: whether no copy of it is kept although nobody need be logged in.
    """

    name: str
    kind: Literal["storefront", "admin"]
    path: str
    template: str
    document: str = ""
    title: str = ""
    requires: Literal["member", "staff"] | None = None
    permission: str | None = None
    subject: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageForm:
    """A form on the module's pages: a named mutation. Templates name it as they name pages: ``form("reviews.hide")``.

    Attributes:
        name: unique among the module's forms of a kind.
        kind: ``storefront`` or ``admin``.
        document: one named GraphQL mutation.
        success: where to go afterwards, a path in which ``{dotted.places}`` are filled from the answer; ``.`` is the page that
            it is on.
        flash: a message id, shown once on the next page.
        requires: who must be logged in to send it.
    """

    name: str
    kind: Literal["storefront", "admin"]
    document: str
    success: str = "."
    flash: str | None = None
    requires: Literal["member", "staff"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """An entry of a theme's navigation that leads to one of the module's pages. Who may not see the page does not see the entry.

    Attributes:
        kind: ``storefront`` or ``admin``.
        page: the page's name in the module; its path has no parameters.
        text: a message id.
        order: smaller comes first.
    """

    kind: Literal["storefront", "admin"]
    page: str
    text: str
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """Everything that a module brings.

    Attributes:
        name: the role it plays, such as ``catalog``; a replacement takes the same name from another package.
        version: its own version (PEP 440).
        engine: the versions of the kernel it works with (PEP 440 specifiers).
        requires: modules that must be enabled, by name, with the versions it works with.
        settings: the shape of its section in ``kameng.toml``, a msgspec struct with ``forbid_unknown_fields``.
        piccolo_app: import path of its Piccolo app, which names its tables and migrations.
        shop, admin: its parts of the two schemas.
        provides, needs: contracts that it fulfils, and contracts it asks for at run time.
        contributes: values that a contract of another module asks for, by their type, such as kinds of account for the ledger's
            chart; whoever owns the type reads them from all modules.
        events: the facts that it publishes.
        handlers, observers, tasks, jobs, permissions, notifications, slots, pages, forms, navigation: see the classes.
        routes: Litestar handlers, such as callbacks of gateways.
        commands: commands added to ``kameng``.
        seed: ``async (kernel, folder)`` fills an empty shop with the demo data of a folder and returns a line that says what
            it did; does nothing where there is data already.
        on_start, on_stop: called in each process, in order of dependency and in reverse.
        locale: a folder of Babel catalogues, ``package:folder``.
    """

    name: str
    version: str
    engine: str = ">=0.1,<0.2"
    requires: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings: type[msgspec.Struct] | None = None
    piccolo_app: str | None = None
    shop: SchemaPart | None = None
    admin: SchemaPart | None = None
    provides: tuple[Provide, ...] = ()
    needs: tuple[type, ...] = ()
    contributes: Mapping[type, tuple[object, ...]] = field(default_factory=lambda: MappingProxyType({}))
    events: tuple[type[Event], ...] = ()
    handlers: tuple[Handler, ...] = ()
    observers: tuple[Observer, ...] = ()
    tasks: tuple[Task, ...] = ()
    jobs: tuple[JobKind, ...] = ()
    permissions: tuple[Permission, ...] = ()
    notifications: tuple[NotificationKind, ...] = ()
    slots: tuple[Slot, ...] = ()
    pages: tuple[Page, ...] = ()
    forms: tuple[PageForm, ...] = ()
    navigation: tuple[Navigation, ...] = ()
    routes: tuple[ControllerRouterHandler, ...] = ()
    commands: tuple[click.Command, ...] = ()
    seed: Callable[[Kernel, Path], Awaitable[str]] | None = None
    on_start: Callable[[Kernel], Awaitable[None]] | None = None
    on_stop: Callable[[Kernel], Awaitable[None]] | None = None
    locale: str | None = None
