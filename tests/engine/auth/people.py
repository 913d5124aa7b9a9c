"""A module that says who the principals are, for tests: whoever was added, until removed."""

from uuid import UUID

from kameng.auth import PrincipalDirectory, PrincipalKind
from kameng.ids import new_id
from kameng.module import Module, Permission, Provide

READ, WRITE = "people.read", "people.write"


class Directory:
    """Principals and their permissions.

    Attributes:
        asked: how often somebody asked.
    """

    def __init__(self) -> None:
        self._people: dict[tuple[PrincipalKind, UUID], frozenset[str]] = {}
        self.asked = 0

    def add(self, kind: PrincipalKind, *permissions: str) -> UUID:
        principal_id = new_id()
        self.set(kind, principal_id, *permissions)
        return principal_id

    def set(self, kind: PrincipalKind, principal_id: UUID, *permissions: str) -> None:
        self._people[kind, principal_id] = frozenset(permissions)

    def remove(self, kind: PrincipalKind, principal_id: UUID) -> None:
        del self._people[kind, principal_id]

    async def permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        self.asked += 1
        return self._people.get((kind, principal_id))


def people_module(directory: Directory) -> Module:
    return Module(
        name="people",
        version="1.0.0",
        provides=(Provide(PrincipalDirectory, lambda _kernel: directory),),
        permissions=(Permission(READ, "Read", "读"), Permission(WRITE, "Write", "写")),
    )
