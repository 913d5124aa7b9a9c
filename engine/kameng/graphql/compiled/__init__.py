"""Compiled execution of GraphQL documents.

A document's operation is parsed, validated and turned into Python once, then executed many times:

    compiled = CompiledSchema(schema)
    prepared = compiled.prepare("query Page($first: Int!) { products(first: $first) { name } }")
    if isinstance(prepared, Invalid):
        result = prepared.result()
    else:
        result = await prepared.execute({"first": 20}, context)
    body = result.to_json()

Answers are those of graphql-core, under Strawberry those of its executor. Precisely:

- the same data, keys in the same order;
- the same errors with message, locations, path and extensions. graphql-core does not sort errors: they come in the
  order in which they happen, so synchronous ones in document order and asynchronous ones as the event loop runs
  them. Compiled execution makes the same tasks in the same turns of the loop (see `runtime`), so this order, which
  siblings an error cancels, and how DataLoaders batch are the same as well;
- resolvers are called the same number of times, in the same order, with equal arguments.

Not the same: values that are told apart from their class by their instance alone in ways that Python itself does not
honour (an ``__await__`` in an instance's ``__dict__``); documents so deep that graphql-core meets the interpreter's
recursion limit; and a resolver that is cancelled by something other than its request, where graphql-core raises
``CancelledError`` and we answer with an error.

What the compiler does not know is executed by graphql-core itself, and counted.
"""

from kameng.graphql.compiled.info import ResolveInfo
from kameng.graphql.compiled.limits import CompileLimits
from kameng.graphql.compiled.prepared import Invalid, Prepared
from kameng.graphql.compiled.result import Result
from kameng.graphql.compiled.schema import CompiledSchema

__all__ = ["CompileLimits", "CompiledSchema", "Invalid", "Prepared", "ResolveInfo", "Result"]
