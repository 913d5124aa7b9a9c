"""The shop's first administrator, who comes in by the one-time link as an operator does."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from kameng.auth.first_administrator import FirstAdministrator

from .server import Server

FOUND = """
mutation Found($input: CreateFirstAdministratorInput!) {
  createFirstAdministrator(input: $input) { token errors { code } }
}
"""


@dataclass(frozen=True)
class Administrator:
    """Who may do everything.

    Attributes:
        email, password: for a log-in.
        token: of a session.
    """

    email: str
    password: str
    token: str

    @classmethod
    async def first(cls, server: Server) -> Administrator:
        """Use the link of a fresh shop."""
        with server.kernel.db.in_use():
            link = await server.kernel.services.get(FirstAdministrator).link()
        assert link is not None
        email, password = "boss@example.com", "correct horse battery"
        values = {"email": email, "password": password, "name": "Boss", "transport": "TOKEN"}
        variables = {"input": values | {"token": link.rpartition("=")[2]}}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                f"{server.url}/graphql/admin", json={"query": FOUND, "variables": variables}
            )
        payload = answer.json()["data"]["createFirstAdministrator"]
        assert payload["errors"] == []
        return cls(email, password, payload["token"])
