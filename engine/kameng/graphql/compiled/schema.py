"""A schema whose documents are compiled."""

from collections.abc import Callable, Iterable

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, validate_schema
from graphql.validation import ASTValidationRule, specified_rules
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from kameng.errors import BootError
from kameng.graphql.compiled.cache import ByteCache
from kameng.graphql.compiled.document import Document, read
from kameng.graphql.compiled.facts import SchemaFacts
from kameng.graphql.compiled.fallback import Fallback
from kameng.graphql.compiled.limits import EXECUTOR, CompileLimits
from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.prepared import Invalid, Prepared
from kameng.graphql.compiled.variables import Variables

_invalid_share = 8
# What a document and its code take, rounded up from what was measured with the resident memory of a process: the
# parsed document holds some hundred bytes for each character, and compiled code comes with its constants,
# completers and positions.
_document_bytes = 4_000
_bytes_per_character = 150
_bytes_per_code_character = 18


class _Known:
    """A document in the cache, with its operations as far as they were asked for."""

    __slots__ = ("document", "prepared")

    def __init__(self, document: Document) -> None:
        self.document = document
        self.prepared: dict[str | None, Prepared] = {}


class CompiledSchema:
    """Prepares documents for a schema, once each, and keeps them within bounds.

    For one event loop: the cache takes no lock.

    Args:
        schema: a Strawberry schema without extensions of its own, or a schema of graphql-core.
        rules: validation rules besides the specified ones (and Strawberry's two).
        cache_bytes: the room for documents. An eighth more is set aside for invalid ones, so that these never
            push out valid ones.
        on_fallback: told the reason whenever graphql-core executes an operation instead of generated code.
        inert_directives: names of directives that are handled elsewhere, or mean nothing to execution.
        limits: the bounds of one compiled operation.
        max_tokens: how many tokens a document may hold.
        hide_suggestions: whether error messages keep names of the schema to themselves.
        screen: refuses a parsed document before the effort of validating it, or gives ``None``.

    Raises:
        BootError: the schema is invalid, defers or streams, or brings Strawberry extensions.
    """

    def __init__(
        self,
        schema: strawberry.Schema | GraphQLSchema,
        *,
        rules: Iterable[type[ASTValidationRule]] = (),
        cache_bytes: int = 64 * 2**20,
        on_fallback: Callable[[str], None] = lambda _reason: None,
        inert_directives: Iterable[str] = (),
        limits: CompileLimits | None = None,
        max_tokens: int | None = None,
        hide_suggestions: bool = False,
        screen: Callable[[DocumentNode], GraphQLError | None] | None = None,
    ) -> None:
        self.strawberry = schema if isinstance(schema, strawberry.Schema) else None
        self.graphql: GraphQLSchema = schema._schema if isinstance(schema, strawberry.Schema) else schema
        self.rules: tuple[type[ASTValidationRule], ...] = (*specified_rules, *rules)
        if self.strawberry is not None:
            self.rules = (*self.rules, MaybeNullValidationRule, OneOfInputValidationRule)
        self._check()
        self._limits = limits or CompileLimits()
        self._inert = frozenset(inert_directives)
        self._max_tokens = max_tokens
        self._hide_suggestions = hide_suggestions
        self._screen = screen
        self._on_fallback = on_fallback
        self._facts = SchemaFacts()
        self._fallback = Fallback(self.strawberry)
        self._fallback_reason: str | None = None
        if self.strawberry is not None and (
            self.strawberry.execution_context_class is not StrawberryGraphQLCoreExecutionContext
        ):
            self._fallback_reason = EXECUTOR
        self._valid: ByteCache[_Known] = ByteCache(cache_bytes)
        self._invalid: ByteCache[_Known] = ByteCache(cache_bytes // _invalid_share)

    def _check(self) -> None:
        if self.strawberry is not None and self.strawberry.extensions:
            raise BootError(
                "The schema brings Strawberry extensions, which compiled execution would pass over.",
                cure="Do their work in the request handler, or in field extensions and permission classes.",
            )
        if self.graphql.get_directive("defer") or self.graphql.get_directive("stream"):
            raise BootError(
                "The schema allows @defer or @stream, which compiled execution does not deliver.",
                cure="Switch off experimental incremental execution.",
            )
        errors = validate_schema(self.graphql)
        if errors:
            raise BootError(f"The schema is invalid: {errors[0].message}", cure="Correct the schema.")

    def prepare(self, source: str, operation_name: str | None = None) -> Prepared | Invalid:
        """The operation of a document, ready to be executed; or what is wrong with the document.

        Args:
            source: the document's text.
            operation_name: which operation; ``None`` if there is only one.
        """
        known = self._valid.get(source) or self._invalid.get(source) or self._read(source)
        document = known.document
        if document.node is None or document.errors:
            return Invalid(document, tuple(document.errors))
        node = document.operation(operation_name)
        if isinstance(node, GraphQLError):
            return Invalid(document, (node,))
        name = node.name.value if node.name is not None else None
        prepared = known.prepared.get(name)
        if prepared is None:
            prepared = known.prepared[name] = Prepared(
                document,
                Operation(
                    schema=self.graphql,
                    document=document.node,
                    node=node,
                    fragments=document.fragments,
                    variables=Variables(self.graphql, node, self._hide_suggestions),
                    plain_variables=self.strawberry is not None,
                    hide_suggestions=self._hide_suggestions,
                ),
                schema=self.strawberry,
                facts=self._facts,
                limits=self._limits,
                inert_directives=self._inert,
                fallback=self._fallback,
                fallback_reason=self._fallback_reason,
                on_fallback=self._on_fallback,
                on_code=lambda length: self._valid.grow(source, known, length * _bytes_per_code_character),
                on_profile=lambda size: self._valid.grow(source, known, size),
            )
        return prepared

    def _read(self, source: str) -> _Known:
        document = read(
            source,
            self.graphql,
            self.rules,
            max_tokens=self._max_tokens,
            hide_suggestions=self._hide_suggestions,
            screen=self._screen,
        )
        known = _Known(document)
        cache = self._invalid if document.errors else self._valid
        cache.put(source, known, _document_bytes + len(source) * _bytes_per_character)
        return known

    @property
    def cached_documents(self) -> int:
        """How many documents are kept, invalid ones included."""
        return len(self._valid) + len(self._invalid)

    @property
    def cached_bytes(self) -> int:
        """The estimated memory of the documents that are kept."""
        return self._valid.size + self._invalid.size
