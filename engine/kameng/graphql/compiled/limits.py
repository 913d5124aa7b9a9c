"""What bounds the compiler, and why a document is not compiled."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompileLimits:
    """Bounds of one compiled operation. What exceeds them is executed by graphql-core, with the same answer.

    Attributes:
        fields: how many fields the plan may hold, fragments expanded and counted for each possible type. One
            costs about 0.1 ms to compile.
        selections: how many selections may be visited while the plan is made; bounds its time.
        depth: how deeply objects may nest. graphql-core itself reaches the interpreter's recursion limit
            somewhere above 80, so that answers could no longer be compared beyond it.
        variants: how many combinations of ``@skip`` and ``@include`` variables are kept for one operation.
    """

    fields: int = 2_000
    selections: int = 50_000
    depth: int = 60
    variants: int = 16


class NotCompilable(Exception):
    """This operation is left to graphql-core.

    Args:
        reason: one of the stable names below; the label of the fallback metric.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


DIRECTIVE = "directive"
"""A directive that changes execution and is none of ``@skip``, ``@include`` or the inert ones."""
CONDITION = "condition"
"""A ``@skip`` or ``@include`` variable without a Boolean value, which graphql-core reports as an error."""
ROOT_TYPE = "root-type"
"""The schema has no root type for this kind of operation."""
ROOT_FIELD = "root-field"
"""A subscription whose only field is left out by ``@skip`` or ``@include``."""
SIZE = "size"
"""More fields, or more work to plan them, than the limits allow."""
DEPTH = "depth"
"""Objects nest deeper than the limits allow."""
FAULT = "fault"
"""The compiler failed. A mistake of ours, written to the log; the client has the answer of graphql-core."""
EXECUTOR = "executor"
"""The Strawberry schema brings an execution context class of its own."""
