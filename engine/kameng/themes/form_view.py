"""A form, as a template writes it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from kameng.themes.csrf import FIELD as CSRF_FIELD
from kameng.themes.fields import usual_name
from kameng.themes.local_path import local_path
from kameng.themes.routes import with_query
from kameng.themes.visit import OWN_PARAMETER, PostedForm, Visit

if TYPE_CHECKING:
    from kameng.themes.manifest import FormSpec

KEY_FIELD = "_key"
"""The hidden field with the idempotency key."""

INSTANCE_FIELD = "_instance"
"""The hidden field that tells several forms of one name apart."""

NEXT_FIELD = "_next"
"""The hidden field that says where a log-in leads back to."""


def new_key() -> str:
    """A fresh idempotency key: 128 random bits."""
    return secrets.token_urlsafe(16)


def form_address(visit: Visit, name: str) -> str:
    """Where a form is sent: the page that it is on, so that its errors are shown there."""
    return with_query(visit.path, [*visit.query, (OWN_PARAMETER, name)])


class FormView:
    """One form on one page, with what was typed into it and what was wrong with that.

    Attributes:
        name: the form's.
        url: for its ``action``; its ``method`` is ``post``.
        failed: whether it was just sent and refused.
        answer: what its mutation has just answered, of a form that `shows` it; None otherwise.
    """

    def __init__(self, visit: Visit, name: str, spec: FormSpec, instance: str = "") -> None:
        self._visit = visit
        self._spec = spec
        self._instance = instance
        self.name = name
        self.url = form_address(visit, name)
        posted = visit.posted if visit.posted and visit.posted.name == name else None
        if posted is not None and posted.instance != instance:
            posted = None
        self.answer = posted.answer if posted else None
        # What went through leaves nothing in the form.
        self._posted: PostedForm | None = None if self.answer is not None else posted
        self.failed = self._posted is not None

    @property
    def fields(self) -> Markup:
        """The hidden fields that every form carries: CSRF token, idempotency key, and where to go next."""
        hidden = {
            CSRF_FIELD: self._visit.csrf_token(),
            KEY_FIELD: (self._posted.key if self._posted else None) or new_key(),
        }
        if self._instance:
            hidden[INSTANCE_FIELD] = self._instance
        if self._spec.follow_next:
            given = dict(self._visit.query).get("next")
            if target := local_path(given):
                hidden[NEXT_FIELD] = target
        row = Markup('<input type="hidden" name="{}" value="{}">')
        return Markup("").join(row.format(name, value) for name, value in hidden.items())

    def value(self, name: str, default: object = "") -> object:
        """What was typed into a field, or the default."""
        values = self._values(name)
        return default if values is None else values[-1] if values else ""

    def chosen(self, name: str, option: object, default: object = None) -> bool:
        """Whether an option is selected or a box is ticked.

        Args:
            name: the field's.
            option: the option's value.
            default: what is chosen before the form was sent: a value or a list of values.
        """
        values = self._values(name)
        if values is None:
            if self._posted is not None:
                return False  # a box without its tick is not sent at all
            return option in default if isinstance(default, list | tuple) else option == default
        return str(option) in values

    def errors(self, name: str | None = None) -> Sequence[str]:
        """Messages about a field and what lies below it; without a name those that belong to no field shown as its own."""
        if self._posted is None:
            return ()
        if name is None:
            return self._posted.errors.get("", ())
        wanted = usual_name(name)
        return [
            message
            for field, messages in self._posted.errors.items()
            if field == wanted or field.startswith((f"{wanted}.", f"{wanted}["))
            for message in messages
        ]

    @property
    def all_errors(self) -> Sequence[tuple[str, str]]:
        """All messages as pairs of field name and text, for a summary at the top."""
        if self._posted is None:
            return ()
        return [(field, message) for field, messages in self._posted.errors.items() for message in messages]

    @property
    def codes(self) -> Sequence[str]:
        """The codes of the mutation's errors, such as ``OUT_OF_STOCK``, for a template that has more to say on one."""
        return self._posted.codes if self._posted else ()

    def _values(self, name: str) -> Sequence[str] | None:
        return self._posted.values.get(usual_name(name)) if self._posted else None
