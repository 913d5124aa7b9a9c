"""The contract by which the kernel's commands reach a deployment's first administrator."""

from typing import Protocol


class FirstAdministrator(Protocol):
    """Opens a fresh deployment to the person who runs it, by a link that works once.

    The kernel owns the contract and a module fulfils it. There is no default password anywhere; this is the way in.
    """

    async def link(self) -> str | None:
        """A fresh one-time link for creating the first administrator; None when there is one already.

        Each call makes the links before it worthless.
        """
        ...
