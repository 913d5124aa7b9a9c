"""Trusted documents: texts that the operator registered, which clients may send by their hash.

Where they are required, nothing else is carried out for storefront clients, whatever it would cost: what a front end asks for
is decided when it is built. The documents of themes run in this process and need no registration.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from kameng.graphql import statements
from kameng.graphql.refusals import DocumentMismatch, DocumentNotTrusted, DocumentUnknown
from kameng.ids import new_id

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.graphql.wire import GraphQLRequest

KNOWN_SECONDS = 30.0
"""How long a process answers for a document without asking the database: so long may a revocation take."""

_MOST_KNOWN = 2_000
_MOST_CHARACTERS = 4_000_000
_PREFIX = "sha256:"

Mode = Literal["off", "allow", "require"]


def hash_of(source: str) -> str:
    """The id of a document: SHA-256 of its text in UTF-8, in hexadecimal."""
    return sha256(source.encode()).hexdigest()


def id_of(request: GraphQLRequest) -> str | None:
    """The hash that a request names its document by: ``documentId``, or ``extensions.persistedQuery.sha256Hash``.

    Raises:
        DocumentMismatch: it is no SHA-256.
    """
    given: object = request.document_id
    if given is None and request.extensions:
        persisted = request.extensions.get("persistedQuery")
        given = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if given is None:
        return None
    found = given.removeprefix(_PREFIX).lower() if isinstance(given, str) else ""
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):
        raise DocumentMismatch(
            "The id of a document is the SHA-256 of its text, in hexadecimal.",
            cure="Let the tool that makes your manifest hash with SHA-256.",
        )
    return found


class TrustedDocuments:
    """The trusted documents of one schema.

    Args:
        db: where they are.
        schema: ``shop`` or ``admin``.
    """

    def __init__(self, db: Database, schema: str) -> None:
        self._db = db
        self._schema = schema
        self._known: OrderedDict[str, tuple[str | None, float]] = OrderedDict()
        self._characters = 0

    async def source_of(self, request: GraphQLRequest, mode: Mode) -> str:
        """The text that a request wants to run.

        Args:
            request: what was sent.
            mode: what this client may send.

        Raises:
            DocumentRefused: the document is unknown, not the one that its id names, or not trusted.
        """
        key = id_of(request)
        if key is None:
            if mode == "require" and await self.read(hash_of(request.query)) is None:
                raise DocumentNotTrusted(
                    "Only registered documents are carried out here.",
                    cure="Register it by `kameng documents register`, and send its hash as documentId.",
                )
            return request.query
        if request.query and hash_of(request.query) != key:
            raise DocumentMismatch(
                "The document's text is not the one that its id names.", cure="Send one of the two."
            )
        source = None if mode == "off" else await self.read(key)
        if source is not None:
            return source
        if request.query and mode != "require":
            return request.query
        raise DocumentUnknown(
            "There is no document of this id.",
            cure="Send its text." if mode != "require" else "Register it by `kameng documents register`.",
        )

    async def read(self, key: str) -> str | None:
        """The text of a document that is registered and not revoked."""
        known = self._known.get(key)
        now = time.monotonic()
        if known is not None and known[1] > now:
            return known[0]
        source: str | None = await self._db.fetchval(statements.DOCUMENT, self._schema, key)
        self._forget(key)
        self._known[key] = (source, now + KNOWN_SECONDS)
        self._characters += len(source or "")
        while len(self._known) > _MOST_KNOWN or self._characters > _MOST_CHARACTERS:
            self._forget(next(iter(self._known)))
        return source

    def _forget(self, key: str) -> None:
        source, _ = self._known.pop(key, (None, 0.0))
        self._characters -= len(source or "")

    async def register(self, source: str, name: str) -> bool:
        """Trust a document; whether anything changed by that."""
        key = hash_of(source)
        answer = await self._db.execute(statements.REGISTER, new_id(), self._schema, key, source, name)
        self._forget(key)
        return answer.endswith("1")

    async def revoke(self, key: str) -> bool:
        """Trust a document no longer; whether it was trusted. Processes that know it forget it within `KNOWN_SECONDS`."""
        answer = await self._db.execute(statements.REVOKE, self._schema, key)
        self._forget(key)
        return answer.endswith("1")
