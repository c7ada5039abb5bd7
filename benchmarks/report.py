"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.targets import DIRECT, IPYKERNEL, LIVE, POST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measures import Goal, Measure

__all__ = ["Result", "as_json", "table"]

_HEAD = (
    *("", IPYKERNEL, POST, "live", "÷ ipykernel", "÷ POST", "direct", "÷ ipykernel"),
    *("spread", "goal (live)", "reached"),
)


@dataclass
class Result:
    """What one measure came to."""

    measure: Measure
    turns: dict[str, list[float]] = field(default_factory=dict)
    """For each target the median of each of its turns."""

    failures: dict[str, str] = field(default_factory=dict)
    """For each target that did not do what it should, what it did."""

    def fail(self, target: str, reason: str) -> None:
        """Leave a target out that did not do what it should."""
        self.failures[target] = reason
        del self.turns[target]

    def median(self, target: str) -> float | None:
        """Return the median of all turns; ``None`` where the target was not measured."""
        return statistics.median(self.turns[target]) if target in self.turns else None

    def ratio(self, target: str, than: str) -> float | None:
        """Return how many times another target's median this one's is."""
        ours, theirs = self.median(target), self.median(than)
        return ours / theirs if ours is not None and theirs else None

    def spread(self) -> float | None:
        """Return the noise: half the range that holds the middle half of the turns' ratios.

        As a part of their median. Targets that took the same turn shared the machine's mood, so
        this is what the median of their ratios is uncertain by, and more.
        """
        base = IPYKERNEL if IPYKERNEL in self.turns else POST
        pairs = zip(self.turns.get(LIVE, []), self.turns.get(base, []), strict=False)
        ratios = [ours / theirs for ours, theirs in pairs if theirs]
        if len(ratios) < 3:  # noqa: PLR2004 - quartiles of fewer say nothing
            return None
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return (high - low) / 2 / abs(middle)

    def reached(self, goal: Goal) -> float | None:
        """Return what stands against a goal."""
        return self.ratio(LIVE, goal.than) if goal.than else self.median(LIVE)


def table(results: Iterable[Result]) -> str:
    """Return results as lines of aligned columns."""
    rows = [list(_HEAD)]
    for result in results:
        rows += _rows(result)
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    others = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([first, *others]).rstrip()


def _rows(result: Result) -> list[list[str]]:
    unit = result.measure.unit
    values = [
        result.measure.name,
        _amount(result.median(IPYKERNEL), unit),
        _amount(result.median(POST), unit),
        _amount(result.median(LIVE), unit),
        _times(result.ratio(LIVE, IPYKERNEL)),
        _times(result.ratio(LIVE, POST)),
        _amount(result.median(DIRECT), unit),
        _times(result.ratio(DIRECT, IPYKERNEL)),
        "" if (spread := result.spread()) is None else f"±{spread:.0%}",
    ]
    goals = [_goal(result, goal) for goal in result.measure.goals] or [["", ""]]
    blank = [""] * len(values)
    return [[*(values if n == 0 else blank), *goal] for n, goal in enumerate(goals)]


def _goal(result: Result, goal: Goal) -> list[str]:
    value = result.reached(goal)
    sign = "≥" if goal.is_least else "≤"
    text = (
        f"{sign} {goal.limit:g} × {goal.than}"
        if goal.than
        else (f"{sign} {_amount(goal.limit, result.measure.unit)}")
    )
    return [text, "" if value is None else "yes" if goal.is_reached(value) else "NO"]


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1  # noqa: PLR2004 - three digits are enough
    return f"{value:.{digits}f} {unit}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f} ×"


def as_json(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return results as plain data."""
    return [_view(result) for result in results]


def _view(result: Result) -> dict[str, Any]:
    goals = []
    for goal in result.measure.goals:
        value = result.reached(goal)
        is_reached = None if value is None else goal.is_reached(value)
        goals.append(
            {
                "limit": goal.limit,
                "than": goal.than or None,
                "is_least": goal.is_least,
                "value": value,
                "is_reached": is_reached,
            }
        )
    return {
        "name": result.measure.name,
        "unit": result.measure.unit,
        "medians": {name: result.median(name) for name in result.turns},
        "turns": result.turns,
        "failures": result.failures,
        "spread": result.spread(),
        "goals": goals,
    }
