"""Write docs/reference/error-codes.md: every code that a client may see, from the classes that carry them.

python tools/error_codes.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kameng.graphql.error_codes import page

TARGET = Path(__file__).parent.parent / "docs" / "reference" / "error-codes.md"


def main() -> int:
    """Write the page, or tell whether it is what it should be."""
    text = page()
    if "--check" in sys.argv:
        return 0 if TARGET.is_file() and TARGET.read_text("utf-8") == text else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
