"""Figures and how they are shown."""

import json
import statistics
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One comparison.

    Attributes:
        name: such as ``orders/hot``.
        ours, reference: medians over the rounds.
        reference_is: what the reference is.
        unit: of both.
        better: ``higher`` or ``lower``.
        notes: further readings, such as percentiles.
    """

    name: str
    ours: float
    reference: float
    reference_is: str
    unit: str
    better: str
    notes: str = ""

    @property
    def ratio(self) -> float:
        """Ours by the reference."""
        return self.ours / self.reference if self.reference else float("nan")


def median(values: list[float]) -> float:
    """The median of the rounds."""
    return statistics.median(values)


def show(figures: list[Figure], *, as_json: bool) -> None:
    """Print figures as a table for people or as JSON lines for machines."""
    if as_json:
        for figure in figures:
            shown = {
                "name": figure.name,
                "ours": round(figure.ours, 3),
                "reference": round(figure.reference, 3),
                "reference_is": figure.reference_is,
                "ratio": round(figure.ratio, 3),
                "unit": figure.unit,
                "better": figure.better,
            }
            if figure.notes:
                shown["notes"] = figure.notes
            print(json.dumps(shown, ensure_ascii=False))
        return
    print(f"{'figure':<22}{'ours':>12}{'reference':>12}{'ratio':>8}  unit")
    for figure in figures:
        print(
            f"{figure.name:<22}{figure.ours:>12.1f}{figure.reference:>12.1f}{figure.ratio:>8.2f}  {figure.unit}"
        )
        print(f"{'':<22}reference: {figure.reference_is}; {figure.better} is better")
        if figure.notes:
            print(f"{'':<22}{figure.notes}")


def say(text: str) -> None:
    """Progress, kept out of the figures."""
    print(text, file=sys.stderr, flush=True)
