"""What was measured: samples, their medians and spreads, the limits they are held against, and two ways to write that.

A machine that is shared makes every absolute figure doubtful, so subjects take turns and ratios of their medians count.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


REFERENCES = ("bare pygls", "bare pygls' echo", "ruff server")
"""The subjects that the others are held against: ratios in the tables are to the first of them that was measured."""


@dataclass(slots=True)
class Figure:
    """The samples of one measure of one subject. `unit` is ms, MB, KB, % or 1 (a plain number)."""

    group: str
    measure: str
    subject: str
    unit: str
    samples: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the samples."""
        return statistics.median(self.samples)

    def percentile(self, percent: float) -> float:
        """The sample that `percent` of all are at most."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A limit and what was measured. `least` turns the limit round: at least instead of at most."""

    claim: str
    measured: float
    limit: float
    unit: str
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        return self.measured >= self.limit if self.least else self.measured <= self.limit


class Report:
    """All figures of one run, in the order in which they came."""

    def __init__(self) -> None:
        self.figures: dict[tuple[str, str, str], Figure] = {}
        self.verdicts: list[Verdict] = []
        self.settings: dict[str, str] = {}

    def add(self, group: str, measure: str, subject: str, unit: str, *samples: float) -> Figure:
        """Add samples to a figure, which is made when it is new."""
        figure = self.figures.setdefault((group, measure, subject), Figure(group, measure, subject, unit))
        figure.samples.extend(samples)
        return figure

    def find(self, group: str, measure: str, subject: str) -> Figure | None:
        """A figure that has samples."""
        figure = self.figures.get((group, measure, subject))
        return figure if figure is not None and figure.samples else None

    def hold(self, claim: str, measured: float, limit: float, unit: str, *, least: bool = False) -> None:
        """Hold a measured value against its limit."""
        self.verdicts.append(Verdict(claim, measured, limit, unit, least))

    def hold_ratio(self, claim: str, one: Figure | None, other: Figure | None, limit: float) -> None:
        """Hold the ratio of two medians against a limit; nothing where one of them was not measured."""
        if one is not None and other is not None and other.median > 0:
            self.hold(claim, one.median / other.median, limit, "x")

    def as_json(self) -> str:
        """Everything, every sample too."""
        content = {
            "machine": machine(),
            "settings": self.settings,
            "verdicts": [
                {
                    "claim": one.claim,
                    "measured": one.measured,
                    "limit": one.limit,
                    "unit": one.unit,
                    "least": one.least,
                    "met": one.met,
                }
                for one in self.verdicts
            ],
            "figures": [
                {
                    "group": one.group,
                    "measure": one.measure,
                    "subject": one.subject,
                    "unit": one.unit,
                    "median": one.median,
                    "p10": one.percentile(10),
                    "p90": one.percentile(90),
                    "p99": one.percentile(99),
                    "samples": one.samples,
                }
                for one in self.figures.values()
                if one.samples
            ],
        }
        return json.dumps(content, indent=1)

    def as_markdown(self) -> str:
        """Tables for a reader: the limits first, then every figure, each with its ratio to the first one."""
        parts = ["# Benchmarks", "", ", ".join(f"{name} {value}" for name, value in machine().items()), ""]
        if self.verdicts:
            parts += ["## Limits", "", "| what | measured | limit | |", "|---|---:|---:|---|"]
            parts += [_verdict_row(one) for one in self.verdicts]
            parts.append("")
        groups = list(dict.fromkeys(one.group for one in self.figures.values()))
        for group in groups:
            parts += [f"## {group}", ""]
            if group in self.settings:
                parts += [self.settings[group], ""]
            parts += [
                "| measure | subject | median | p10 to p90 | p99 | n | ratio |",
                "|---|---|---:|---:|---:|---:|---:|",
            ]
            parts += self._rows(group)
            parts.append("")
        return "\n".join(parts)

    def _rows(self, group: str) -> Iterable[str]:
        figures = [one for one in self.figures.values() if one.group == group and one.samples]
        measures = list(dict.fromkeys(one.measure for one in figures))
        figures.sort(key=lambda one: (measures.index(one.measure), _rank(one.subject)))
        first: dict[str, float] = {}
        for one in figures:
            base = first.setdefault(one.measure, one.median)
            ratio = f"{one.median / base:.2f}" if base > 0 else ""
            spread = f"{_number(one.percentile(10))} to {_number(one.percentile(90))}"
            yield (
                f"| {one.measure} | {one.subject} | {_number(one.median)} {one.unit} | {spread} "
                f"| {_number(one.percentile(99))} | {len(one.samples)} | {ratio} |"
            )


def machine() -> Mapping[str, str]:
    """What a reader must know of the machine."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "Python": platform.python_version(),
        "processors": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "load": load,
    }


def write(report: Report, folder: Path) -> None:
    """Write `benchmarks.json` and `benchmarks.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.json").write_text(report.as_json(), "utf-8")
    (folder / "benchmarks.md").write_text(report.as_markdown(), "utf-8")


def _rank(subject: str) -> int:
    return REFERENCES.index(subject) if subject in REFERENCES else len(REFERENCES)


def _verdict_row(one: Verdict) -> str:
    bound = "at least" if one.least else "at most"
    unit = f" {one.unit}" if one.unit else ""
    found = "met" if one.met else "**missed**"
    return f"| {one.claim} | {_number(one.measured)}{unit} | {bound} {_number(one.limit)}{unit} | {found} |"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
