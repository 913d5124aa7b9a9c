"""One-time tokens: a text, mostly in a link, that opens one thing once.

The first administrator, a new password, a log-in that waits for its second factor: each has a purpose, a
subject (what it is about) and a time-out. Redeeming happens in the caller's transaction, so the token is used
up exactly if what it opened is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from kameng.auth import statements
from kameng.auth.tokens import digest, is_one_time_token, new_one_time_token
from kameng.db import Database, Statement, as_json
from kameng.errors import Refusal
from kameng.ids import new_id

FIRST_ADMINISTRATOR = "first_administrator"
"""The purpose of the link by which a fresh deployment gets its first administrator."""

PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose, not a secret
"""The purpose of the link by which somebody sets a new password."""


class OneTimeTokenInvalid(Refusal):
    """A one-time link has been used, is too old, or never was one: the three are not told apart."""

    code = "ONE_TIME_TOKEN_INVALID"


class OneTimeTokens:
    """The one-time tokens of a deployment.

    Args:
        db: where they are kept.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def issue(
        self, purpose: str, ttl: timedelta, subject: Mapping[str, Any], *, replace: bool = False
    ) -> str:
        """Make a token; returns its text, which can be read nowhere else.

        Args:
            purpose: what it opens.
            ttl: how long it can be redeemed.
            subject: what it is about, as JSON values.
            replace: whether it takes the place of those with the same purpose and subject, which end.
        """
        text = new_one_time_token()
        async with self._db.transaction():
            if replace:
                await self.withdraw(purpose, subject)
            await self._db.execute(
                statements.ONE_TIME_ISSUE, new_id(), purpose, digest(text), as_json(subject), ttl
            )
        return text

    async def redeem(self, purpose: str, text: str) -> dict[str, Any]:
        """Use a token up; returns its subject.

        Of several that redeem it at the same time one wins, and the others wait for that one's transaction:
        they get it only if that rolls back.

        Raises:
            OneTimeTokenInvalid: it has been used, is too old, or is none with this purpose.
        """
        return await self._subject(statements.ONE_TIME_REDEEM, purpose, text)

    async def peek(self, purpose: str, text: str) -> dict[str, Any]:
        """The subject of a token that could be redeemed, for showing a form; the token stays.

        Raises:
            OneTimeTokenInvalid: it has been used, is too old, or is none with this purpose.
        """
        return await self._subject(statements.ONE_TIME_PEEK, purpose, text)

    async def withdraw(self, purpose: str, subject: Mapping[str, Any]) -> int:
        """End the tokens with this purpose and subject; how many."""
        answer = await self._db.execute(statements.ONE_TIME_WITHDRAW, purpose, as_json(subject))
        return int(answer.split()[-1])

    async def _subject(self, statement: Statement, purpose: str, text: str) -> dict[str, Any]:
        found = None
        if is_one_time_token(text):
            found = await self._db.fetchval(statement, digest(text), purpose)
        if found is None:
            raise OneTimeTokenInvalid(
                "This link has been used already, or is too old.", cure="Ask for a new one."
            )
        subject: dict[str, Any] = orjson.loads(found)
        return subject
