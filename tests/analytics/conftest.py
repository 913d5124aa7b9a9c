"""A shop whose sales can be reported."""

from tests.fulfilment.conftest import shop

__all__ = ["shop"]
