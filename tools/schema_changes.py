"""Find breaking changes of the GraphQL schemas that the changelog does not name.

    python tools/schema_changes.py [--against REF]

Compares ``docs/schema/*.graphql`` of the working tree with those of the last release: the newest tag that has them.
Before the first release with them the base is where this branch left ``main``, or else the last commit in which they
were different. Each change that could break a client must be named in the section "Unreleased" of ``CHANGELOG.md`` by its
schema coordinate, such as `Order.total`, between backticks. Exit code 1: one is not.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import build_schema, find_breaking_changes

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "docs/schema"
CHANGELOG = "CHANGELOG.md"

_MEMBER = re.compile(r"@\w+(?:\(\w+:\))?|\w+\.\w+(?:\(\w+:\))?")
_UNION = re.compile(r"removed from union type (\w+)")
_UNRELEASED = re.compile(r"^## Unreleased\b(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """A change that could break a client.

    Attributes:
        schema: ``shop`` or ``admin``.
        coordinate: what changed, as a schema coordinate.
        description: how, as graphql-core tells it.
    """

    schema: str
    coordinate: str
    description: str


def coordinate_of(description: str) -> str:
    """The schema coordinate of what one of graphql-core's descriptions is about."""
    if member := _MEMBER.search(description):
        return member[0]
    if union := _UNION.search(description):
        return union[1]
    return description.removeprefix("Standard scalar ").split()[0]


def breaking_changes(name: str, old: str, new: str) -> list[BreakingChange]:
    """What could break a client between two versions of a schema, as SDL."""
    found = find_breaking_changes(build_schema(old), build_schema(new))
    return [BreakingChange(name, coordinate_of(item.description), item.description) for item in found]


def unnamed(changes: list[BreakingChange], changelog: str) -> list[BreakingChange]:
    """Those changes that a changelog's section "Unreleased" does not name."""
    section = _UNRELEASED.search(changelog)
    text = section[1] if section else ""
    return [change for change in changes if f"`{change.coordinate}`" not in text]


class Repository:
    """The files of other commits.

    Args:
        root: the working tree.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def base(self) -> str | None:
        """The commit to compare with, by the rule above; None without a history that has the files."""
        return next((ref for ref in self._candidates() if ref and self.schemas(ref)), None)

    def _candidates(self) -> Iterator[str]:
        yield self._git("describe", "--tags", "--abbrev=0")
        head = self._git("rev-parse", "HEAD")
        for branch in ("origin/HEAD", "origin/main", "main"):
            fork = self._git("merge-base", "HEAD", branch)
            if fork and fork != head:
                yield fork
        if self.schemas("HEAD") != self.working():
            yield head
        last = self._git("log", "-1", "--format=%H", "--", FOLDER)
        yield self._git("rev-parse", "--verify", "--quiet", f"{last}^") if last else ""

    def schemas(self, ref: str) -> dict[str, str]:
        """The SDL of a commit by schema; empty where it has none."""
        paths = self._git("ls-tree", "-r", "--name-only", ref, "--", FOLDER).split()
        return {Path(path).stem: self._git("show", f"{ref}:{path}") for path in paths}

    def working(self) -> dict[str, str]:
        """The SDL of the working tree by schema."""
        return {path.stem: path.read_text("utf-8").strip() for path in (self.root / FOLDER).glob("*.graphql")}

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Compare and tell; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--against", metavar="REF", help="compare with this commit")
    repository = Repository(root)
    base = parser.parse_args(arguments).against or repository.base()
    if base is None:
        print("Schemas: there is no earlier version to compare with.")
        return 0
    new = repository.working()
    changes: list[BreakingChange] = []
    for name, old in sorted(repository.schemas(base).items()):
        if name in new:
            changes += breaking_changes(name, old, new[name])
        else:
            changes.append(BreakingChange(name, f"{name}.graphql", f"The schema {name}.graphql was removed."))
    lacking = unnamed(changes, (root / CHANGELOG).read_text("utf-8"))
    print(f"Schemas against {base[:12]}: {len(changes)} breaking changes, {len(lacking)} not in {CHANGELOG}.")
    if lacking:
        print(f'\nName these under "Unreleased" in {CHANGELOG}, or take them back:\n')
        for change in lacking:
            print(f"- {change.schema}: `{change.coordinate}`: {change.description}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
