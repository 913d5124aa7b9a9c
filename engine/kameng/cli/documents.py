"""``kameng documents``: which documents clients may send by their hash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from kameng.cli.running import run

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SchemaName = Literal["shop", "admin"]

_schema = click.option(
    "--schema",
    type=click.Choice(["shop", "admin"]),
    default="shop",
    show_default=True,
    help="Of which schema.",
)


@click.group()
def documents() -> None:
    """Look after the trusted documents: what a front end may ask, as it was built."""


@documents.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@_schema
@click.pass_context
def register(context: click.Context, paths: tuple[Path, ...], schema: SchemaName) -> None:
    """Register documents: .graphql files, folders of them, or a JSON manifest of hashes and texts.

    The text counts exactly as it stands in the file. All are checked against the schema and its limits first; if one of them
    could not run, none is registered.
    """
    found = [item for path in paths for item in _read(path)]
    if not found:
        raise click.ClickException("There are no .graphql files and no manifests here.")

    async def work(kernel: Kernel) -> int:
        from kameng.graphql.trusted import TrustedDocuments, hash_of

        faults = [f"{name}: {fault}" for name, source in found if (fault := _fault(kernel, schema, source))]
        for fault in faults:
            click.secho(fault, fg="red", err=True)
        if faults:
            return 1
        trusted = TrustedDocuments(kernel.db, schema)
        changed = 0
        async with kernel.db.transaction():
            for name, source in found:
                changed += await trusted.register(source, name)
                click.echo(f"{hash_of(source)}  {name}")
        click.echo(f"{changed} registered, {len(found) - changed} were known.")
        return 0

    context.exit(run(context, work))


@documents.command("list")
@_schema
@click.pass_context
def list_(context: click.Context, schema: SchemaName) -> None:
    """List the registered documents with their hashes; revoked ones are marked."""

    async def work(kernel: Kernel) -> None:
        from kameng.graphql import statements

        for row in await kernel.db.fetch(statements.DOCUMENTS, schema):
            mark = "  (revoked)" if row["revoked_at"] else ""
            click.echo(f"{row['sha256']}  {row['length']:>6}  {row['name']}{mark}")

    run(context, work)


@documents.command()
@click.argument("hashes", nargs=-1, required=True)
@_schema
@click.pass_context
def revoke(context: click.Context, hashes: tuple[str, ...], schema: SchemaName) -> None:
    """Trust documents no longer, by their hashes; running processes learn of it within half a minute."""

    async def work(kernel: Kernel) -> int:
        from kameng.graphql.trusted import TrustedDocuments

        trusted = TrustedDocuments(kernel.db, schema)
        unknown = [item for item in hashes if not await trusted.revoke(item.removeprefix("sha256:").lower())]
        for item in unknown:
            click.secho(f"{item} is not registered.", fg="red", err=True)
        click.echo(f"{len(hashes) - len(unknown)} revoked.")
        return 1 if unknown else 0

    context.exit(run(context, work))


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of the documents at a path."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix in (".graphql", ".gql"):
                yield file.relative_to(path).as_posix(), file.read_text("utf-8")
    elif path.suffix == ".json":
        yield from _manifest(path)
    else:
        yield path.name, path.read_text("utf-8")


def _manifest(path: Path) -> Iterator[tuple[str, str]]:
    from kameng.graphql.trusted import hash_of

    try:
        tree = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path} is no JSON: {error}.") from error
    if isinstance(tree, dict) and isinstance(tree.get("operations"), list):
        # The manifest of Apollo's tools names each operation.
        pairs = [(item["id"], item["body"], item.get("name", "")) for item in tree["operations"]]
    elif isinstance(tree, dict):
        pairs = [(key, text, "") for key, text in tree.items()]
    else:
        raise click.ClickException(f"{path} is no manifest: it maps hashes to documents.")
    for key, text, name in pairs:
        if not isinstance(text, str) or hash_of(text) != str(key).removeprefix("sha256:").lower():
            raise click.ClickException(
                f"{path}: {key} is not the SHA-256 of its document. Let your build tool hash with SHA-256."
            )
        yield f"{path.name}:{name}" if name else path.name, text


def _fault(kernel: Kernel, schema: SchemaName, source: str) -> str | None:
    """Why a document could never run; each of its operations is looked at."""
    from graphql import OperationDefinitionNode

    from kameng.graphql.admission import limits_of, profile_of
    from kameng.graphql.compiled import Invalid
    from kameng.settings import GraphQLSettings

    limits = limits_of(kernel.settings.section("graphql", GraphQLSettings))
    executor = kernel.graphql[schema]
    prepared = executor.prepare(source)
    document = prepared.document.node
    names: list[str | None] = [
        item.name.value if item.name else None
        for item in (document.definitions if document else ())
        if isinstance(item, OperationDefinitionNode)
    ]
    for name in names or [None]:
        prepared = executor.prepare(source, name)
        if isinstance(prepared, Invalid):
            return "; ".join(error.message for error in prepared.errors)
        refusal = profile_of(prepared, limits).refusal
        if refusal is not None:
            return str(refusal)
    return None
