"""What a run came to, as JSON with everything in it, and as the table that people read."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.quality.scoring import figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.benchmarks.quality.rates import Rate
    from tests.benchmarks.quality.scoring import Figures, ScoredCase
    from tests.benchmarks.quality.transcripts import Call

_PER_LINE = "false_lines"
_ROWS = (
    ("defects found at their lines, of buggy twins", "detected"),
    ("buggy twins with any finding", "any_finding"),
    ("correct twins with a false alarm", "false_twins"),
    ("regions of correct twins with one", "false_regions"),
    ("false alarms per 1,000 lines of correct twins", _PER_LINE),
    ("findings at a defect, of all shown (half of the twins have none)", "precise"),
    ("claims without a place, dropped", "rejected"),
    ("fixes offered, of those stated with enough confidence", "fixes_offered"),
    ("offered fixes that apply", "fixes_apply"),
    ("offered fixes that parse", "fixes_parse"),
    ("fixes at a defect that pass its test", "fixes_pass"),
    ("buggy twins that an offered fix cures", "cured"),
    ("fixes offered on correct twins that break them", "harmful"),
    ("findings by rules, without a model", "by_rules"),
    ("regions without an answer", "unanswered"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run. `about` says with which settings it was made; `wrong_labels` counts pairs that were left out."""

    about: Mapping[str, str]
    cases: Sequence[ScoredCase]
    calls: Sequence[Call]
    wrong_labels: int = 0

    @property
    def groups(self) -> dict[str, Figures]:
        """The figures of all cases, then by language."""
        languages = sorted({case.language for case in self.cases})
        grouped = {"all": figures(self.cases)}
        if len(languages) > 1:
            for language in languages:
                grouped[language] = figures([case for case in self.cases if case.language == language])
        return grouped

    def as_json(self) -> str:
        """Everything, each finding too."""
        content = {
            "about": dict(self.about),
            "pairs_left_out": self.wrong_labels,
            "figures": {name: _figures(group) for name, group in self.groups.items()},
            "calls": [asdict(call) for call in self.calls],
            "cases": [asdict(case) for case in self.cases],
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def as_markdown(self) -> str:
        """The table: each rate with what it counts and its 95 % interval."""
        groups = self.groups
        parts = [", ".join(f"{name} {value}" for name, value in self.about.items()), ""]
        parts += [f"| | {' | '.join(groups)} |", f"|---|{'---:|' * len(groups)}"]
        for words, name in _ROWS:
            parts.append(f"| {words} | {' | '.join(_cell(name, group) for group in groups.values())} |")
        parts += ["", *self._costs()]
        if reasons := groups["all"].not_reviewed:
            parts += ["", *(f"Not reviewed: {count} twins, {reason}." for reason, count in reasons.items())]
        if self.wrong_labels:
            parts += ["", f"{self.wrong_labels} pairs were left out: their tests do not tell the twins apart."]
        return "\n".join([*parts, ""])

    def _costs(self) -> list[str]:
        if not self.calls:
            return []
        given, taken = (sum(getattr(call, f"{way}_tokens") for call in self.calls) for way in ("input", "output"))
        usd = sum(call.micro_usd for call in self.calls) / 1_000_000
        about = "about " if any(call.estimated for call in self.calls) else ""
        costs = [f"{len(self.calls)} requests, {about}{given:,} tokens in and {taken:,} out, {usd:.4f} USD."]
        for words, name in (("first words", "first_seconds"), ("whole answer", "seconds")):
            seconds = sorted(value for call in self.calls if (value := getattr(call, name)) is not None)
            if seconds:
                late = seconds[min(len(seconds) - 1, round(0.95 * (len(seconds) - 1)))]
                costs.append(f"Seconds to the {words}: median {statistics.median(seconds):.1f}, 95 % {late:.1f}.")
        return [" ".join(costs)]


def write(result: Result, folder: Path) -> None:
    """Write `quality.json` and `quality.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quality.json").write_text(result.as_json(), "utf-8")
    (folder / "quality.md").write_text(result.as_markdown(), "utf-8")


def _figures(group: Figures) -> dict[str, object]:
    rates = {name: getattr(group, name) for _, name in _ROWS}
    return {
        **{
            name: {"hits": rate.hits, "of": rate.of, "share": rate.share, "interval": list(rate.interval)}
            for name, rate in rates.items()
        },
        "not_reviewed": group.not_reviewed,
    }


def _cell(name: str, group: Figures) -> str:
    rate: Rate = getattr(group, name)
    if rate.share is None:
        return "none"
    low, high = rate.interval
    if name == _PER_LINE:
        return f"{rate.hits} in {rate.of}: {1000 * rate.share:.1f} ({1000 * low:.1f} to {1000 * high:.1f})"
    return f"{rate.hits} of {rate.of}: {100 * rate.share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
