"""All kinds of jobs of a deployment by their full names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kameng.jobs.errors import JobMisuseError

if TYPE_CHECKING:
    from kameng.module import JobKind, Module


def all_kinds(modules: Iterable[Module]) -> Mapping[str, JobKind]:
    """Kinds by ``module.kind``.

    Raises:
        JobMisuseError: a module declares two of one name.
    """
    kinds: dict[str, JobKind] = {}
    for module in modules:
        for kind in module.jobs:
            name = f"{module.name}.{kind.name}"
            if name in kinds:
                raise JobMisuseError(f"{name} is declared twice.", cure="Rename one of the two kinds.")
            kinds[name] = kind
    return kinds
