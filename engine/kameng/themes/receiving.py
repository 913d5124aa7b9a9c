"""Receiving forms: their fields, and the files that they bring for ``Upload`` variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

from graphql import OperationDefinitionNode, VariableDefinitionNode

from kameng.errors import Unauthenticated
from kameng.graphql.uploads import UploadMalformed
from kameng.graphql.uploads.forms import FormParts, FormReader
from kameng.graphql.uploads.placing import check_types
from kameng.graphql.uploads.reading import MULTIPART
from kameng.graphql.uploads.receiving import Turns, upload_limits
from kameng.themes.documents import ThemeDocument
from kameng.themes.fields import MAX_FIELDS, read_name

if TYPE_CHECKING:
    from litestar import Request

    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng.themes.manifest import SchemaName

_TURNS = Turns()
# One for all themes of the process: what it bounds is the process's room on the disk.


async def read_form(
    request: Request[Any, Any, Any],
    kernel: Kernel,
    schema: SchemaName,
    document: ThemeDocument,
    principal: Principal,
    admit: Callable[[Mapping[str, str]], None],
    files: ExitStack,
) -> FormParts:
    """What a form sent.

    Args:
        request: the POST.
        kernel, schema, document: the form's mutation, which says where files belong.
        principal: who sends it; files are taken from those who are logged in.
        admit: is given the hidden fields before anything of a file is kept, and raises if the form is none of ours.
        files: closes the files when the request is over.

    Raises:
        Refusal: it breaks a rule or a limit of uploads as a whole; a file that does is told in `FormParts.refused`.
        UnavailableError: too many forms with files are under way.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        pairs = list((await request.form()).multi_items())
        return FormParts([(name, value) for name, value in pairs if isinstance(value, str)])

    taken: set[str] = set()

    def begin(texts: Mapping[str, str], kind: str) -> None:
        admit(texts)
        if principal.id is None:
            raise Unauthenticated("Files are taken from those who are logged in.", cure="Log in first.")
        turns: tuple[Literal["files", "imports"], ...] = (
            ("files", "imports") if kind == "import" else ("files",)
        )
        for turn in turns:
            if turn not in taken:
                files.enter_context(_TURNS.of(turn))
                taken.add(turn)

    reader = FormReader(request.receive, content_type, upload_limits(kernel, schema), files)
    try:
        return await reader.read(begin, FilePlaces(kernel, schema, document).kind_of, MAX_FIELDS)
    finally:
        # Many browsers listen only when they have sent all.
        await reader.pass_over()


class FilePlaces:
    """Where the variables of a mutation take files.

    Args:
        kernel, schema: what the mutation is for.
        document: the mutation.
    """

    def __init__(self, kernel: Kernel, schema: SchemaName, document: ThemeDocument) -> None:
        self._schema = kernel.schemas[schema]._schema
        self._definitions: dict[str, VariableDefinitionNode] = {
            node.variable.name.value: node
            for operation in document.syntax.definitions
            if isinstance(operation, OperationDefinitionNode)
            for node in operation.variable_definitions or ()
        }

    def kind_of(self, name: str) -> str | None:
        """``file``, ``import`` for one that a job reads, or None where the field takes no file."""
        path = read_name(name)
        for place in (path, (*path, 0)) if path else ():  # a list takes the field several times
            try:
                imports = check_types({name: [place]}, self._definitions, self._schema)
            except UploadMalformed:
                continue
            return "import" if imports else "file"
        return None


def texts_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """The fields that are no files, by name; of several the last."""
    return {name: value for name, value in pairs if isinstance(value, str)}
