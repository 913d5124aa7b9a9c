"""Compiled execution of GraphQL documents.

A document's operation is parsed, validated and turned into Python once, then executed many times:

    compiled = CompiledSchema(schema)
    prepared = compiled.prepare("query Page($first: Int!) { products(first: $first) { name } }")
    if isinstance(prepared, Invalid):
        result = prepared.result()
    else:
        result = await prepared.execute({"first": 20}, context)
    body = result.to_json()

Answers are those of graphql-core: the same data in the same order, the same errors with message, path and locations
in the same order, the same order of side effects. What the compiler does not know is executed by graphql-core
itself, and counted.
"""

from kameng.graphql.compiled.limits import CompileLimits
from kameng.graphql.compiled.prepared import Invalid, Prepared
from kameng.graphql.compiled.result import Result
from kameng.graphql.compiled.schema import CompiledSchema

__all__ = ["CompileLimits", "CompiledSchema", "Invalid", "Prepared", "Result"]
