"""``theme.json``: what a theme says of itself.

A child theme's pages, forms, tokens and settings are laid over its parent's key by key, so a layer holds them as they were
written; they get their shape when all layers are merged (`kameng.themes.merging`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from kameng.themes.errors import ThemeFaulty
from kameng.themes.finding import error, json_line

Kind = Literal["storefront", "admin"]
SchemaName = Literal["shop", "admin"]

FILE_NAME = "theme.json"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One layer's ``theme.json``.

    Attributes:
        name: lower-case letters, digits and hyphens; also the name of its entry point.
        version: its own version (PEP 440).
        engine: the versions of the kernel it works with (PEP 440 specifiers).
        parent: the theme it is laid over.
        kind: what it shows, ``storefront`` or ``admin``; a child takes its parent's.
        schema: the GraphQL schema of its documents; ``shop`` for a storefront, ``admin`` for an admin.
        title: its name for people.
        tokens: design tokens by name.
        contrast: pairs of colour tokens that are shown on each other, with the least ratio.
        settings: a JSON Schema whose properties an operator fills in.
        pages, forms, documents, slots: by name.
        login: the page to which a visitor is sent who must log in first.
        layout_document: a query without variables; pages without a document of their own get its data, and error pages below
            500, so that the layout has what it shows.
    """

    name: str
    version: str = "0.0.0"
    engine: str = ""
    parent: str | None = None
    kind: Kind | None = None
    schema: SchemaName | None = None
    title: str = ""
    tokens: dict[str, Any] = {}
    contrast: list[dict[str, Any]] = []
    settings: dict[str, Any] = {}
    pages: dict[str, dict[str, Any] | None] = {}
    forms: dict[str, dict[str, Any] | None] = {}
    documents: dict[str, str] = {}
    slots: dict[str, dict[str, Any]] = {}
    login: str | None = None
    layout_document: str | None = None


class PageSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page: a route, a named document and a template.

    Attributes:
        path: such as ``/products/{slug}``; each ``{name}`` stands for one segment.
        template: a file such as ``templates/product.html``.
        document: a file such as ``queries/product.graphql`` with one named query; None: the page needs no data.
        title: a message id; ``{product.name}`` in it is filled from the page's data.
        requires: who must be logged in to see it.
        permission: the permission that is needed to see it.
        subject: where in the data the thing stands that the page is about, such as ``product``; where it is null, the
            answer is the theme's 404 page.
        status: the status of the answer.
        private: whether it shows what is for one person alone although nobody need be logged in, so that no copy of it is
            kept. Pages with `requires` or `permission` are private anyway.
        media_type: what the template writes, where it is no page for people: XML or plain text for crawlers.
    """

    path: str
    template: str
    document: str | None = None
    title: str = ""
    requires: Literal["member", "staff"] | None = None
    permission: str | None = None
    subject: str | None = None
    status: int = 200
    private: bool = False
    media_type: Literal["text/html", "application/xml", "text/plain"] = "text/html"


class FormSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A form: a named mutation and what follows it.

    Attributes:
        document: a file such as ``queries/place-order.graphql`` with one named mutation.
        success: where to go afterwards: a local path in which ``{placeOrder.order.number}`` is filled from the answer, or
            ``.`` for the page that the form was on.
        follow_next: whether a valid ``?next=`` of the page goes before ``success``, as on a log-in form.
        on_error: the page that shows the form's errors; None: the one that it was sent from.
        flash: a message id, shown once on the next page.
        shows: whether the page that the form is on is shown with what the mutation answered, instead of leading on: for
            what is told only once, such as a link or a secret, and must get into no address.
        requires: who must be logged in to send it.
        private: fields whose values are never put back into the form, beside passwords, codes and other secrets.
    """

    document: str
    success: str = "."
    follow_next: bool = False
    on_error: str | None = None
    flash: str | None = None
    shows: bool = False
    requires: Literal["member", "staff"] | None = None
    private: tuple[str, ...] = ()


class SlotSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place that modules may fill.

    Attributes:
        on: the GraphQL type of the object that the place is given; None: it is given nothing.
        about: what the place is for, for authors of modules.
    """

    on: str | None = None
    about: str = ""


def read_manifest(folder: Path) -> Manifest:
    """Read a theme folder's ``theme.json``.

    Raises:
        ThemeFaulty: it is missing, no JSON, or of another shape.
    """
    file = folder / FILE_NAME
    shown = f"{folder.name}/{FILE_NAME}"
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as fault:
        found = error(
            shown, 0, f"There is no readable {FILE_NAME} in {folder}: {fault.strerror}.", "Write one."
        )
        raise ThemeFaulty(folder.name, [found]) from fault
    except msgspec.ValidationError as fault:
        keys = (
            str(fault).rpartition("$.")[2].rstrip("`").replace("[...]", "").split(".")
            if "$." in str(fault)
            else []
        )
        found = error(
            shown,
            json_line(file, *keys),
            f"{fault}.",
            f"Its keys are: {', '.join(Manifest.__struct_fields__)}.",
        )
        raise ThemeFaulty(folder.name, [found]) from fault
    except msgspec.DecodeError as fault:
        raise ThemeFaulty(
            folder.name, [error(shown, 0, f"It is no JSON: {fault}.", "Mend it there.")]
        ) from fault
