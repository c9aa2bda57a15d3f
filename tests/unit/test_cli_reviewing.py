"""Running the engine over files: what is opened, what is withheld, what is made of the reports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aiops_lsp.cli.allowance import Allowance
from aiops_lsp.cli.reviewing import FILES_AT_A_TIME, Estimate, Run
from aiops_lsp.cli.targets import Target
from aiops_lsp.engine.host import Folder, RegionReport, ReviewReport
from aiops_lsp.settings import Settings
from tests.support.outcomes import finding

if TYPE_CHECKING:
    from aiops_lsp.cli.outcome import Outcome
    from aiops_lsp.core.text import TextDocument

SOURCE = "a = [1]\nb = [2]\nc = [3]\nd = [4]\n"


@dataclass
class ScriptedReviewer:
    """Stands in for the engine: finds each `[n]`, says that it costs `price`, and keeps count."""

    price: int = 100
    broken: frozenset[str] = frozenset()
    documents: dict[str, TextDocument] = field(default_factory=dict)
    asked: list[tuple[str, tuple[int, int] | None]] = field(default_factory=list)
    allowed: list[tuple[int, int] | None] = field(default_factory=list)
    most_open: int = 0
    run: Run | None = None

    def open(self, document: TextDocument, *, look: bool = True) -> None:
        assert not look
        assert document.uri not in self.documents
        self.documents[document.uri] = document
        self.most_open = max(self.most_open, len(self.documents))

    def close(self, uri: str) -> None:
        del self.documents[uri]

    async def review(
        self, uri: str, *, lines: tuple[int, int] | None = None, at_most: tuple[int, int] | None = None
    ) -> ReviewReport:
        self.allowed.append(at_most)
        assert self.run is not None
        first_time = all(name != Path(uri).name for name, _ in self.asked)
        self.asked.append((Path(uri).name, lines))
        text = self.documents[uri].snapshot()
        await asyncio.sleep(0)
        if Path(uri).name in self.broken:
            raise ZeroDivisionError
        enabled = self.run.folder_of(uri).settings.review.enabled
        regions = tuple(_region(number, lines, enabled=enabled) for number in range(4))
        spent = self.price if enabled and first_time else 0
        return ReviewReport(
            uri,
            text,
            tuple(finding(text, f"[{number}]") for number in (1, 2, 3, 4)),
            regions,
            not_reviewed="" if enabled else "reviews are switched off",
            tokens=spent,
            micro_usd=spent,
        )

    async def estimate(self, uri: str) -> tuple[int, int]:
        assert uri in self.documents
        return 1000, self.price


def _region(number: int, lines: tuple[int, int] | None, *, enabled: bool) -> RegionReport:
    meant = lines is None or lines[0] <= number <= lines[1]
    if not (enabled and meant):
        return RegionReport("", number, number + 1, "not_reviewed", "not asked for")
    return RegionReport("", number, number + 1, "reviewed")


def _target(folder: Path, name: str, **others: object) -> Target:
    path = folder / name
    if not path.exists():
        path.write_text(SOURCE)
    return Target(path, name, "python", folder, **others)  # type: ignore[arg-type]  # the test's own keywords


def _run(targets: list[Target], reviewer: ScriptedReviewer, bound: int | None = None) -> tuple[Run, Outcome]:
    done: list[None] = []
    run = Run(targets, {t.uri: Folder(t.root, Settings()) for t in targets}, lambda: done.append(None))
    reviewer.run = run

    async def review() -> Outcome:
        estimate = await run.estimate(reviewer)
        return await run.review(reviewer, Allowance(bound), estimate, lambda: ["a note"])

    outcome = asyncio.run(review())
    assert len(done) == len(targets)
    assert not reviewer.documents
    return run, outcome


def test_all_files_are_reviewed_a_few_at_a_time(tmp_path: Path) -> None:
    targets = [_target(tmp_path, f"f{number:02}.py") for number in range(40)]
    reviewer = ScriptedReviewer()
    run, outcome = _run(targets, reviewer)
    assert [file.path for file in outcome.files] == [target.shown for target in targets]
    assert outcome.tokens == 4000
    assert outcome.notes == ("a note",)
    assert run.failures == 0
    assert 1 < reviewer.most_open <= FILES_AT_A_TIME


def test_changed_lines_are_asked_for_run_by_run_and_only_they_are_reported(tmp_path: Path) -> None:
    target = _target(tmp_path, "f.py", changed=((0, 1), (3, 3)))
    reviewer = ScriptedReviewer()
    _, outcome = _run([target], reviewer)
    (file,) = outcome.files
    assert reviewer.asked == [("f.py", (0, 0)), ("f.py", (2, 3))]
    assert reviewer.allowed == [(1000, 100), (900, 0)]
    assert [found.evidence for found in file.findings] == ["[1]", "[3]", "[4]"]
    assert [(region.start_line, region.outcome) for region in file.regions] == [
        (0, "reviewed"),
        (2, "reviewed"),
        (3, "reviewed"),
    ]
    assert file.tokens == 100


def test_no_more_is_sent_than_may_be_spent(tmp_path: Path) -> None:
    targets = [_target(tmp_path, f"f{number}.py") for number in range(5)]
    _, outcome = _run(targets, ScriptedReviewer(), bound=250)
    withheld = [file for file in outcome.files if file.not_sent]
    assert len(withheld) == 3
    assert all("more than is left of --max-cost" in file.not_sent for file in withheld)
    assert sum(file.micro_usd for file in outcome.files) == 200
    assert all(file.findings for file in withheld)


@pytest.mark.parametrize(("named", "sent"), [(True, True), (False, False)])
def test_prose_goes_to_a_model_only_when_it_is_named(tmp_path: Path, named: bool, sent: bool) -> None:
    target = _target(tmp_path, "f.md", named=named)
    target = Target(target.path, target.shown, "markdown", tmp_path, named)
    _, outcome = _run([target], ScriptedReviewer())
    assert (not outcome.files[0].not_sent) is sent


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_bytes(b"\0\1\2")
    (tmp_path / "c.py").write_bytes(b"x = '\xff'\n")
    targets = [_target(tmp_path, name) for name in ("a.py", "b.py", "c.py")]
    _, outcome = _run(targets, ScriptedReviewer())
    assert [file.path for file in outcome.files] == ["a.py"]
    assert [(one.path, one.reason) for one in outcome.unread] == [
        ("b.py", "it is binary"),
        ("c.py", "it is not valid UTF-8 (line 1); save it as UTF-8 to have it reviewed"),
    ]


def test_a_failure_of_our_own_is_told_and_counted_and_the_others_go_on(tmp_path: Path) -> None:
    targets = [_target(tmp_path, name) for name in ("a.py", "b.py")]
    run, outcome = _run(targets, ScriptedReviewer(broken=frozenset({"b.py"})))
    assert [file.path for file in outcome.files] == ["a.py"]
    assert [(one.path, "ZeroDivisionError" in one.reason) for one in outcome.unread] == [("b.py", True)]
    assert run.failures == 1


@pytest.mark.parametrize("free", [False, True])
def test_where_nothing_has_a_price_each_file_goes_out_without_an_estimate_of_all(tmp_path: Path, free: bool) -> None:
    targets = [_target(tmp_path, "a.py", changed=((0, 1), (2, 3)))]
    reviewer = ScriptedReviewer()
    run = Run(targets, {t.uri: Folder(t.root, Settings()) for t in targets}, lambda: None)
    reviewer.run = run
    estimate = None if free else Estimate({targets[0].uri: (1000, 100)})
    outcome = asyncio.run(run.review(reviewer, Allowance(None), estimate, tuple))
    assert [len(file.regions) for file in outcome.files] == [2]
    assert reviewer.allowed == ([None, None] if free else [(1000, 100), (900, 0)])


def test_what_is_withheld_is_neither_estimated_nor_sent(tmp_path: Path) -> None:
    targets = [_target(tmp_path, "a.py")]
    reviewer = ScriptedReviewer()
    run = Run(targets, {t.uri: Folder(t.root, Settings()) for t in targets}, lambda: None)
    reviewer.run = run
    run.withhold_all("--offline was given")

    async def review() -> tuple[Estimate, Outcome]:
        estimate = await run.estimate(reviewer)
        return estimate, await run.review(reviewer, Allowance(None), estimate, tuple)

    estimate, outcome = asyncio.run(review())
    assert (estimate.tokens, estimate.usd) == (0, 0.0)
    assert outcome.files[0].not_sent == "--offline was given"
    assert outcome.tokens == 0
