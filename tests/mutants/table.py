"""The mutants made by hand: a line or two of the program each, changed so that a place or an edit would be wrong."""

from __future__ import annotations

from dataclasses import dataclass

TEXT = ("tests/unit/test_text.py",)
ANCHORS = ("tests/unit/test_anchors.py",)
FIXES = ("tests/unit/test_fixes.py",)
GLANCE = ("tests/unit/test_glance.py",)
DERIVE = ("tests/unit/test_derive.py",)
PLACES = ("tests/integration/test_engine_places.py",)
MARKERS = ("tests/integration/test_markers.py",)
CONVERT = ("tests/unit/test_convert.py", "tests/integration/test_lsp_actions.py")
ENGINE = (*PLACES, *MARKERS, "tests/integration/test_invariants.py::TestEngine")


@dataclass(frozen=True, slots=True)
class Mutant:
    """In `file`, under server/aiops_lsp, `old` becomes `new`; one of `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant("utf-16 counts bytes", "core/text.py", 'surrogatepass")) // 2', 'surrogatepass"))', TEXT),
    Mutant(
        "utf-8 counts code points",
        "core/text.py",
        'return len(text.encode("utf-8", "surrogatepass"))',
        "return len(text)",
        TEXT,
    ),
    Mutant("utf-32 counts bytes", "core/text.py", "return len(text)\n", 'return len(text.encode("utf-8"))\n', TEXT),
    Mutant(
        "columns go out unconverted",
        "core/text.py",
        "return column if content.isascii() else _units(content[:column], encoding)",
        "return column",
        TEXT,
    ),
    Mutant(
        "columns come in unconverted",
        "core/text.py",
        "if content.isascii() or encoding is PositionEncoding.UTF32:",
        "if True:",
        TEXT,
    ),
    Mutant("a form feed ends a line", "core/text.py", r'r"\r\n?|\n"', r'r"\r\n?|\n|\f"', (*TEXT, *MARKERS)),
    Mutant(
        "an edit at the end of a span touches it",
        "core/text.py",
        "if edit.range.start >= span.end and",
        "if edit.range.start > span.end and",
        TEXT,
    ),
    Mutant(
        "an edit in a span does not touch it",
        "core/text.py",
        "    if edit.range.end > span.start:\n        return None\n",
        "",
        TEXT,
    ),
    Mutant(
        "spans do not move in their line",
        "core/text.py",
        "position.column + edit.new_end.column - end.column",
        "position.column",
        TEXT,
    ),
    Mutant(
        "the stated line does not count",
        "core/anchors.py",
        "            if stated in starts:",
        "            if False:",
        ANCHORS,
    ),
    Mutant("far lines are near", "core/anchors.py", "NEAR_LINES = 3\n", "NEAR_LINES = 30\n", ANCHORS),
    Mutant(
        "the first of several is taken",
        "core/anchors.py",
        "if len(places) <= 1:",
        "if len(places) <= 1 or self.hint is None:",
        ANCHORS,
    ),
    Mutant(
        "neighbours do not count",
        "core/anchors.py",
        "(own.before == hint.before) + (own.after == hint.after)",
        "0",
        ANCHORS,
    ),
    Mutant(
        "what is alike is exact",
        "core/anchors.py",
        "return place, rung == self.part_of_line",
        "return place, True",
        ANCHORS,
    ),
    Mutant(
        "a quote from elsewhere is looked for here",
        "core/anchors.py",
        "if self.stands_elsewhere(quotes, snapshot):",
        "if False:",
        ANCHORS,
    ),
    Mutant(
        "a focus may be there twice",
        "core/anchors.py",
        "if len(found) == 1:\n                return Position",
        "if found:\n                return Position",
        ANCHORS,
    ),
    Mutant(
        "secrets do not shift columns",
        "core/anchors.py",
        "region.document_column(end.line, last)",
        "last + region.dedents[end.line]",
        ANCHORS,
    ),
    Mutant(
        "an outdated region is anchored in",
        "core/anchors.py",
        "if any(document_line(region, snapshot, line) is None for line in range(place.first, place.last + 1)):",
        "if False:",
        ANCHORS,
    ),
    Mutant(
        "a fix does not follow its quote",
        "core/fixes.py",
        "stated = fix.start_line - 1 + anchor.line - (claim.start_line - 1)",
        "stated = fix.start_line - 1",
        FIXES,
    ),
    Mutant("a fix for what is only alike", "core/fixes.py", "if not anchor.exact:", "if False:", FIXES),
    Mutant("a fix that does not parse", "core/fixes.py", "if count_errors(after) > errors:", "if False:", FIXES),
    Mutant(
        "a fix with unseen text",
        "core/fixes.py",
        "if any(unicodedata.category",
        "if False and any(unicodedata.category",
        FIXES,
    ),
    Mutant(
        "a fix with line ends of its own",
        "core/fixes.py",
        "return whole[len(line_content(whole)) :]",
        'return "\\n"',
        FIXES,
    ),
    Mutant(
        "a fix for text that has changed",
        "core/fixes.py",
        "    if content is None:\n            raise _RejectedError(FixRejectionReason.OUTDATED)",
        '    if content is None:\n            content = ""',
        FIXES,
    ),
    Mutant(
        "findings are published for a text that went on",
        "engine/document.py",
        "if self.examined is not None and self.is_current(self.examined.snapshot):",
        "if self.examined is not None:",
        ENGINE,
    ),
    Mutant(
        "a glance is published for a text that went on",
        "engine/document.py",
        "elif self.glance is not None and self.is_current(self.glance.snapshot):",
        "elif self.glance is not None:",
        GLANCE,
    ),
    Mutant(
        "a glance hides what is known",
        "engine/document.py",
        "return all(_is_glanced(live.finding) for live in self.live)",
        "return True",
        GLANCE,
    ),
    Mutant(
        "the same is published again",
        "engine/document.py",
        "if self._shown.version is not None and publication.findings == self._shown.findings:",
        "if False:",
        ENGINE,
    ),
    Mutant(
        "edits do not carry findings",
        "engine/document.py",
        "                live.carry(edit, carry)",
        "                pass",
        ENGINE,
    ),
    Mutant(
        "hints show what an edit touched",
        "engine/document.py",
        "if not (live.suspended or live.hidden)]",
        "if not live.hidden]",
        ENGINE,
    ),
    Mutant(
        "a look at an old text is taken over",
        "engine/look.py",
        "        if not document.is_current(snapshot):\n            return False\n",
        "",
        ("tests/integration/test_looks.py",),
    ),
    Mutant(
        "evidence is not compared",
        "engine/derive.py",
        "return snapshot.slice(place) == shown.finding.evidence",
        "return True",
        DERIVE,
    ),
    Mutant(
        "what is re-checked does not say so",
        "engine/derive.py",
        "rechecking=True, fix=None",
        "rechecking=False",
        ENGINE,
    ),
    Mutant(
        "a failure clears",
        "engine/derive.py",
        "found += known\n        found +=",
        "found += known\n        continue\n        found +=",
        ENGINE,
    ),
    Mutant(
        "equal lines in other spacing are not noticed",
        "engine/placement.py",
        "(not place.exact or _has_disguised_equals(place.quote, region))",
        "not place.exact",
        ENGINE,
    ),
    Mutant(
        "a reworded comment keeps its finding",
        "engine/placement.py",
        "(not place.exact or _has_disguised_equals(place.quote, region))",
        "_has_disguised_equals(place.quote, region)",
        ENGINE,
    ),
    Mutant(
        "two findings of a line are one",
        "engine/derive.py",
        "return one.start < other.end and other.start < one.end",
        "return one.start.line == other.start.line",
        DERIVE,
    ),
    Mutant(
        "broken code counts as reviewed",
        "engine/knowledge.py",
        "if region.trivial and not (region.parse_error and region.loose):",
        "if region.trivial:",
        ("tests/integration/test_looks.py",),
    ),
    Mutant(
        "what is reviewed again shows nothing meanwhile",
        "engine/look.py",
        "document.standings[index] = _being_reviewed_again(standing)",
        "document.standings[index] = Standing.reviewing()",
        ENGINE,
    ),
    Mutant(
        "what an edit touched is gone for good",
        "engine/document.py",
        "            bring_home(self.live, self._derived_for, examined)\n",
        "            pass\n",
        ENGINE,
    ),
    Mutant(
        "a fix stays when something is typed beside it",
        "engine/derive.py",
        "if moved is None or _joins(edit, one.range, moved):",
        "if moved is None:",
        ENGINE,
    ),
    Mutant(
        "a part of a line is carried along",
        "engine/placement.py",
        "place.exact and _is_of_whole_lines(place, region) and cached.claim.fix is None",
        "place.exact and cached.claim.fix is None",
        DERIVE,
    ),
    Mutant(
        "what a fix has to fit to is carried along",
        "engine/placement.py",
        "_is_of_whole_lines(place, region) and cached.claim.fix is None",
        "_is_of_whole_lines(place, region)",
        DERIVE,
    ),
    Mutant(
        "what is carried along is not compared with the text",
        "engine/placement.py",
        "return None  # the lines end in another way",
        "pass",
        DERIVE,
    ),
    Mutant(
        "fixes do not move", "engine/derive.py", "edits.append(one._replace(range=moved))", "edits.append(one)", ENGINE
    ),
    Mutant(
        "a fix takes blanks away that it is not about",
        "core/fix_lines.py",
        "tuple(_with_blanks_kept(there, old, kept))",
        "tuple(kept)",
        FIXES,
    ),
    Mutant(
        "an ignore comment may break the code",
        "core/suppressions.py",
        " and after.errors <= reader.errors:",
        ":",
        ("tests/unit/test_suppressions.py",),
    ),
    Mutant(
        "a deep review sends what has nothing to review",
        "engine/plan.py",
        "standing is NOTHING_TO_REVIEW or standing.progress is Progress.REVIEWING",
        "standing.progress is Progress.REVIEWING",
        ("tests/integration/test_engine_races.py",),
    ),
    Mutant(
        "an edit is offered unchecked",
        "lsp/convert.py",
        'return "".join(held) == edit.old_text',
        "return True",
        CONVERT,
    ),
    Mutant(
        "an edit is bound to no version",
        "lsp/convert.py",
        "uri=document.uri, version=document.version)",
        "uri=document.uri, version=None)",
        CONVERT,
    ),
)
"""Each must be killed. `python -m tests.mutants` tries them all."""

SAMPLE = ("columns go out unconverted", "the first of several is taken", "a fix does not follow its quote")
"""Those that each run of the tests tries."""
