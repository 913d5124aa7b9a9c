"""Search terms: what a product can be found by, as plain words in an array that a GIN index answers.

Beside the words of its texts these are its categories (`/game`, `/game/pc`), its tags (`#hot`) and its attributes
(`=region=cn`), so that one index answers any combination of them.

Chinese has no spaces, so each run of ideographs gives its single characters and its pairs; a word of letters
and digits gives itself and its beginnings, so that ``ste`` finds Steam while somebody is typing. No extension
of PostgreSQL is needed, and the same rules read the titles and the question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_TERMS = 400
"""Terms of one product at most."""

MAX_QUESTION = 100
"""Characters of a question that count."""

LONGEST_BEGINNING = 12
"""What follows these first characters of a word is not looked at."""

# Ideographs, kana and Hangul: scripts whose words are not parted by spaces, or short enough to be treated so.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|[^\W_{_UNSPACED}]+")


def _split(text: str) -> Iterable[tuple[str, bool]]:
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        yield match.group(), match["unspaced"] is not None


def terms_of(texts: Iterable[str]) -> list[str]:
    """The terms that a thing with these texts is found by, sorted."""
    found: set[str] = set()
    for text in texts:
        for run, unspaced in _split(text):
            if unspaced:
                found.update(run)
                found.update(run[i : i + 2] for i in range(len(run) - 1))
            else:
                found.update(run[:length] for length in range(1, min(len(run), LONGEST_BEGINNING) + 1))
    return sorted(found)[:MAX_TERMS]


def path_terms(path: str) -> list[str]:
    """The terms of a category and of all that it lies in: `game/pc` gives `/game` and `/game/pc`.

    No word of a text begins with a slash.
    """
    parts = path.split("/")
    return ["/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))]


def tag_term(tag: str) -> str:
    """The term of a tag as a whole, which is more than its words."""
    return f"#{tag.casefold()}"


def product_terms(
    path: str, tags: Iterable[str], texts: Iterable[str], attributes: Iterable[str] = ()
) -> list[str]:
    """The terms of a product, sorted: its categories, its tags as a whole, its attributes, and all that its texts say.

    Args:
        path: its category's.
        tags, texts: its own.
        attributes: the terms of its attributes, see `attributes.values`.
    """
    return sorted({*path_terms(path), *map(tag_term, tags), *attributes, *terms_of(texts)})


def words_of(texts: Iterable[str]) -> set[str]:
    """Of the terms of these texts those that somebody who is done typing asks for: no beginnings, no single ideographs."""
    return {
        term for text in texts for run, unspaced in _split(text) for term in _words(run, unspaced=unspaced)
    }


def _words(run: str, *, unspaced: bool) -> list[str]:
    if unspaced and len(run) > 1:
        return [run[i : i + 2] for i in range(len(run) - 1)]
    return [run[:LONGEST_BEGINNING]]


def asked_words(question: str) -> list[list[str]]:
    """The terms that a thing must have to answer a question, those of each word together; empty without any word."""
    return [_words(run, unspaced=unspaced) for run, unspaced in _split(question[:MAX_QUESTION])]


def asked_terms(question: str) -> list[str]:
    """The same terms, each once and sorted."""
    return sorted({term for word in asked_words(question) for term in word})
