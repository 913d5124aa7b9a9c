"""What a module above says of the data that it keeps about members, so that they can have a copy of it, and have it erased."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from kameng.kernel import Kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """A part of what the shop keeps about a member. A module declares its parts by `kameng.module.Module.contributes`.

    Attributes:
        name: of the part and of its file in the copy, such as ``orders``; unique.
        collect: ``async (kernel, member)`` gives all of it as rows of plain JSON values.
        erase: ``async (kernel, member)`` makes unreadable what need not be kept; joins the transaction around it and may be
            called again. None where the law has all of it kept.
        unsettled: ``async (kernel, member)`` tells in a sentence of English what the shop and the member still owe each other, or
            None; as long as there is something, nothing is erased.
    """

    name: str
    collect: Callable[[Kernel, UUID], Awaitable[Sequence[Mapping[str, Any]]]]
    erase: Callable[[Kernel, UUID], Awaitable[None]] | None = None
    unsettled: Callable[[Kernel, UUID], Awaitable[str | None]] | None = None


def personal_data(kernel: Kernel) -> list[PersonalData]:
    """The parts that the enabled modules declare, by name."""
    found = (part for module in kernel.modules for part in module.contributes.get(PersonalData, ()))
    return sorted((part for part in found if isinstance(part, PersonalData)), key=lambda part: part.name)
