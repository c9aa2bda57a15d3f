"""The offline review of one snapshot: pure CPU, no I/O beyond the packs' own files, meant for a worker thread.

Nothing heavy is imported before the first review: ast-grep, YAML and the packs come with it, one language at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from aiops_lsp.core.findings import Finding, Origin, Severity, number_findings
from aiops_lsp.core.language_table import AROUND_MEMBERS
from aiops_lsp.core.languages import language_of
from aiops_lsp.core.text import Range, line_content
from aiops_lsp.rules.builtin import PASSWORD
from aiops_lsp.rules.comments import comment_finding, reviewer_addressed
from aiops_lsp.rules.conditions import Conditions
from aiops_lsp.rules.loading import rules_of
from aiops_lsp.rules.matching import Match, matches, matches_each, matches_in_excerpt, may_match, parse
from aiops_lsp.rules.options import RuleOptions
from aiops_lsp.rules.repair import fix_of
from aiops_lsp.rules.secrets import secret_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ast_grep_py import Rule as AstRule
    from ast_grep_py import SgNode

    from aiops_lsp.core.text import Snapshot
    from aiops_lsp.rules.rule import Rule

_V = TypeVar("_V")
_TEST_PATH = re.compile(
    r"/(?:tests?|test[-_]?(?:utils?|tools?|helpers?|modes?)|testing|testsuite|unittests?|test-?[fF]ramework|tck|microbench|benches|functional"
    r"|testdata|_?fixtures|__tests__|__mocks__|specs?|e2e|it|benchmarks?|_?(?:[\w-]+[ -])?(?:examples?|samples|demos?)"
    r"|reg(?:ression[-_]?)?tests?|stress(?:[-_]tests?)?|manual[-_]?tests?|load[-_]?tests?|fuzz(?:ers?|ing)?)/"
    r"|/(?:test_[^/]*|tests?|conftest|pytest_plugin)\.py$|_tests?\.(?:py|go|rs)$|/(?:[a-z0-9]+test|test[a-z]+|integration)/[^/]+\.go$|/test(?:ing)?\.go$|/(?:\w+_)?test_?(?:data|import|certs?|keys?)\.go$"
    r"|(?:\.(?:test|spec)|Test)\.[cm]?[jt]sx?$|/(?:[A-Z]\w*Tests?(?:Case)?|Test[A-Z]\w*|test[a-z]+|[a-z]+test)\.java$|/\w+_mock\.go$"
)
_LONGEST_MARK = 240
_LONG = 10_000
"""Characters from which on an excerpt is made before a text is parsed."""
_DEFAULTS = RuleOptions()


class RuleEngine:
    """Reviews snapshots by the built-in packs, a team's rules, the table of secrets and the look at comments."""

    def __init__(self) -> None:
        self._latest: _Applying | None = None

    def review(
        self,
        snapshot: Snapshot,
        *,
        regions: Sequence[tuple[int, int]] | None = None,
        options: RuleOptions = _DEFAULTS,
        premises: frozenset[str] | None = None,
        glanced: Sequence[Finding] | None = None,
    ) -> list[Finding]:
        """The findings in `snapshot`, or only in `regions`: line ranges from 0, each without its end, in order.

        `premises` are those of `Conditions` where they are known; without them the whole text is searched for what
        rules ask of it. `glanced` are the findings of a `glance` at the same snapshot, which are not looked for again.
        Findings come in document order, numbered among themselves: who joins them with findings of other regions
        numbers all of them again with `number_findings`, the evidence being the quote.
        """
        spans = [snapshot.span_of(*lines) for lines in regions] if regions is not None else [(0, len(snapshot.text))]
        review = _Review(snapshot, self._applying(snapshot, options), premises)
        return _in_order(finding for span in spans for finding in review.findings(span, glanced))

    def glance(self, snapshot: Snapshot, options: RuleOptions = _DEFAULTS) -> list[Finding] | None:
        """What the packs and a team's rules find in all of `snapshot`, in a fraction of the time of `review`.

        None where the code does not parse: then findings may be missing that its regions for themselves show.
        """
        found = _Review(snapshot, self._applying(snapshot, options), None).glance()
        return None if found is None else _in_order(found)

    def conditions(self, snapshot: Snapshot, options: RuleOptions) -> Conditions:
        """What the rules ask of the document as a whole."""
        return Conditions(self._applying(snapshot, options).conditional)

    def _applying(self, snapshot: Snapshot, options: RuleOptions) -> _Applying:
        """The rules for a document. Those of the last one are kept: while a user types they stay the same."""
        in_test = _TEST_PATH.search(unquote(snapshot.uri)) is not None
        latest = self._latest
        if latest is None or (latest.language, latest.options, latest.in_test) != (snapshot.language, options, in_test):
            latest = self._latest = _Applying.of(snapshot.language, options, in_test=in_test)
        return latest


@dataclass(frozen=True, slots=True)
class _Applying:
    """The rules that apply to documents of a language under these options, in test code or outside of it."""

    language: str
    options: RuleOptions
    in_test: bool
    rules: tuple[Rule, ...]
    team_rules: tuple[Rule, ...]

    @classmethod
    def of(cls, language: str, options: RuleOptions, *, in_test: bool) -> _Applying:
        known = language_of(language)
        grammar = known.grammar if known else ""
        team = [rule for rule in options.team_rules if grammar in rule.languages]
        rules, team_rules = (
            tuple(rule for rule in some if _applies(rule, options, in_test=in_test))
            for some in (rules_of(grammar), team)
        )
        return cls(language, options, in_test, rules, team_rules)

    @property
    def conditional(self) -> list[Rule]:
        """The rules with conditions on the document, or an eye on all of it."""
        rules = (*self.rules, *self.team_rules)
        return [rule for rule in rules if rule.whole_file or rule.has_conditions]


class _Review:
    """One review of one snapshot; the whole document is parsed at most once, and only if a region needs it."""

    def __init__(self, snapshot: Snapshot, applying: _Applying, premises: frozenset[str] | None) -> None:
        self._snapshot = snapshot
        self._applying = applying
        self._options = applying.options
        self._language = language_of(snapshot.language)
        self._premises = premises
        self._fits: dict[str, bool] = {}
        self._trees: dict[tuple[int, int], tuple[SgNode, int]] = {}

    def findings(self, span: tuple[int, int], glanced: Sequence[Finding] | None) -> Iterator[Finding]:
        """The findings in the offsets of `span`, without ids."""
        secrets = list(
            secret_findings(self._snapshot, span, self._options.redact_patterns, in_test=self._applying.in_test)
        )
        matched = list(self._matched(span)) if glanced is None else glanced
        for finding in (*self._outside_prose(secrets, span), *self._spoken(span)):
            yield from self._switched(finding)
        yield from matched

    def glance(self) -> list[Finding] | None:
        """What patterns find in all of the text; None where it does not parse."""
        span = (0, len(self._snapshot.text))
        found = list(self._matched(span))
        whole = self._trees.get(span)
        return None if whole is not None and whole[0].find(kind="ERROR") else found

    def _matched(self, span: tuple[int, int]) -> Iterator[Finding]:
        """What patterns find."""
        if self._language is None:
            return
        text = self._snapshot.text[slice(*span)]
        rules = [rule for rule in self._applying.rules if may_match(rule, text) and self._file_fits(rule)]
        team_rules = [rule for rule in self._applying.team_rules if self._file_fits(rule)]
        if not (rules or team_rules):
            return
        found = None
        if not team_rules and len(text) > _LONG and span == (0, len(self._snapshot.text)):
            found = matches_in_excerpt(text, self._language.grammar, rules)
        if found is None:
            root, shift = self._tree(span, alone=not any(rule.sees_document for rule in rules))
            found = [(match, shift) for match in (*matches(root, rules), *matches_each(root, team_rules))]
        for match, shift in found:
            if _within(match.node, shift, span):
                yield from self._switched(self._finding(match, shift))

    def _spoken(self, span: tuple[int, int]) -> Iterator[Finding]:
        """The comments that speak to a reviewer."""
        known = self._trees.get(span)
        own = known[0] if known is not None and known[1] == span[0] else None  # nothing was put around it
        for place in reviewer_addressed(self._snapshot, span, own):
            symbol = ""
            if self._language is not None:
                root, shift = self._tree(span)
                kinds: list[AstRule] = [
                    {"kind": kind} for kind in sorted(self._language.functions | self._language.classes)
                ]
                at = self._snapshot.offset_at(place.start) - shift
                holders = [one for one in root.find_all(any=kinds) if _holds(one, at)]
                symbol = _named(sorted(holders, key=lambda one: one.range().start.index))
            yield comment_finding(place, self._snapshot.slice(place), symbol)

    def _tree(self, span: tuple[int, int], *, alone: bool = True) -> tuple[SgNode, int]:
        """A tree that holds the span, and what to add to its offsets to get the document's.

        Not `alone` it is the document's. Each is parsed once.
        """
        assert self._language is not None
        whole = (0, len(self._snapshot.text))
        if span not in self._trees and span != whole and alone:
            parsed = _parse_alone(self._snapshot.text[slice(*span)], self._language.grammar)
            if parsed is not None:
                self._trees[span] = parsed[0], span[0] - parsed[1]
        if span not in self._trees and whole not in self._trees:
            self._trees[whole] = parse(self._snapshot.text, self._language.grammar), 0
        return self._trees.get(span) or self._trees[whole]

    def _file_fits(self, rule: Rule) -> bool:
        """Whether the document holds, and lacks, what the rule asks of it; each rule is asked once."""
        if self._premises is not None:
            return not rule.has_conditions or rule.id in self._premises
        if rule.id not in self._fits:
            text = self._snapshot.text
            fits = rule.file_has is None or rule.file_has.occurs_in(text)
            self._fits[rule.id] = fits and not (rule.file_lacks is not None and rule.file_lacks.occurs_in(text))
        return self._fits[rule.id]

    def _outside_prose(self, secrets: list[Finding], span: tuple[int, int]) -> list[Finding]:
        """Without passwords known by their name alone that stand in comments and docstrings: those are examples."""
        if self._language is None or not any(secret.code == PASSWORD.id for secret in secrets):
            return secrets
        root, shift = self._tree(span)
        kinds = sorted(self._language.comments | self._language.strings)
        places = [
            (node.kind(), node.range()) for node in root.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})
        ]
        prose = [
            (place.start.index + shift, place.end.index + shift)
            for kind, place in places
            if kind in self._language.comments or place.start.line != place.end.line
        ]
        offsets = [self._snapshot.offset_at(secret.range.start) for secret in secrets]
        return [
            secret
            for secret, offset in zip(secrets, offsets, strict=True)
            if secret.code != PASSWORD.id or not any(start <= offset < end for start, end in prose)
        ]

    def _switched(self, finding: Finding) -> Iterator[Finding]:
        """The finding as the options want it: with their severity, or not at all."""
        if _switched_off(finding.code, self._options):
            return
        severity = _looked_up(finding.code, self._options.severity)
        yield finding._replace(severity=Severity(severity)) if severity in set(Severity) else finding

    def _finding(self, match: Match, shift: int) -> Finding:
        rule = match.rule
        span, evidence = self._place(match.marked, shift)
        return Finding(
            id="",
            code=rule.id,
            origin=Origin.RULE,
            category=rule.category,
            severity=rule.severity,
            confidence=rule.confidence,
            title=rule.title,
            why=rule.why,
            trigger=rule.trigger,
            range=span,
            evidence=evidence,
            symbol=self._symbol(match.node),
            fix=fix_of(match, self._snapshot, shift),
            url=rule.url,
        )

    def _place(self, node: SgNode, shift: int) -> tuple[Range, str]:
        """Where a node is reported: all of it if it stands on one line, else the rest of its first line."""
        place = node.range()
        start, end = place.start.index + shift, place.end.index + shift
        first = self._snapshot.position_at(start)
        line_end = self._snapshot.line_starts[first.line] + len(line_content(self._snapshot.lines[first.line]))
        end = min(end, line_end, start + _LONGEST_MARK)
        text = self._snapshot.text[start:end]
        stop = start + max(1, len(text.rstrip()))
        return Range(first, self._snapshot.position_at(stop)), self._snapshot.text[start:stop]

    def _symbol(self, node: SgNode) -> str:
        """The dotted name of the functions and classes around a node, as far as the parsed text shows them."""
        assert self._language is not None
        holders = self._language.functions | self._language.classes
        return _named([outer for outer in (*reversed(node.ancestors()), node) if outer.kind() in holders])


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in document order, numbered."""
    found = sorted(findings, key=lambda finding: (finding.range, finding.code))
    return number_findings((finding, finding.evidence) for finding in found)


def _applies(rule: Rule, options: RuleOptions, *, in_test: bool) -> bool:
    return not (
        (in_test and not rule.in_tests)
        or options.left_to_others & rule.other_codes
        or (rule.globs and options.path and not _globs_match(rule.globs, options.path))
        or _switched_off(rule.id, options)
    )


def _switched_off(code: str, options: RuleOptions) -> bool:
    if _looked_up(code, options.severity) == "off" or any(fnmatchcase(code, group) for group in options.disabled):
        return True
    globs = _looked_up(code, options.paths)
    return bool(globs and options.path and not _globs_match(globs, options.path))


def _named(holders: Iterable[SgNode]) -> str:
    """The dotted name of definitions that lie in each other, the outermost first."""
    names = [name.text() for holder in holders if (name := holder.field("name")) is not None]
    return ".".join(name for name in names if name != "_")


def _holds(node: SgNode, offset: int) -> bool:
    place = node.range()
    return place.start.index <= offset < place.end.index


def _within(node: SgNode, shift: int, span: tuple[int, int]) -> bool:
    return span[0] <= node.range().start.index + shift < max(span[1], span[0] + 1)


def _parse_alone(text: str, grammar: str) -> tuple[SgNode, int] | None:
    """The tree of a region without its document, and the length of what was put before it; None if it is not whole."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    before, after = AROUND_MEMBERS.get(grammar, ("", "")) if first[:1].isspace() else ("", "")
    root = parse(before + text + after, grammar)
    return None if root.find(kind="ERROR") else (root, len(before))


def _looked_up(code: str, table: Mapping[str, _V]) -> _V | None:
    """The value for a rule: that of its id, else of the first group that it belongs to."""
    if code in table:
        return table[code]
    return next((value for group, value in table.items() if fnmatchcase(code, group)), None)


def _globs_match(globs: Iterable[str], path: str) -> bool:
    import pathspec  # noqa: PLC0415  # only for those who restrict rules to files

    return pathspec.GitIgnoreSpec.from_lines(globs).match_file(path)
