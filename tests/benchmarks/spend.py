"""What reviews cost while code is written: tokens that bought nothing, hours a budget lasts, and against whole files.

    python -m tests.benchmarks.spend trace TRACE.json.gz [--gaps TRACE.json.gz] [--edits N] [--language rust]
    python -m tests.benchmarks.spend commits REPOSITORY... [--commits 20] [--hunks 200]

Both run the whole engine on default settings, in virtual time, over a model in this process that answers after 6 s.
Tokens are estimates (see llm/tokens.py), as no provider is asked. A trace is a gzipped JSON object `{startContent,
txns: [{time, patches: [[position, deleted, inserted]]}]}`, positions in code points.

`trace` types a recorded session: the pauses of a second and more are its own; what came within one second is spread by
the gaps between keys of another trace with a finer clock. An answer counts as used when its code, comments and blanks
aside, stood in the text at any look after it came. Active hours leave out pauses of a minute and more.

`commits` types each hunk of each commit line by line, then rests 20 s and saves. The other side of the comparison asks
for the whole file, once, at each of these rests, with the same fixed part.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops_lsp.core.prompts import review_prompt
from aiops_lsp.core.text import Position
from aiops_lsp.engine.standing import Progress, Reason
from aiops_lsp.llm.client import ModelName
from aiops_lsp.llm.tokens import estimate_tokens
from tests.benchmarks.sessions import changes, chosen_hunks, gaps_of, read_trace, typed
from tests.support.rests import quantile
from tests.support.spend_world import SCHEMA_TOKENS, Purchase, SpendWorld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lsp.engine.line_diff import Block

LATENCY = 6.0
BREAK = 60.0
RESTS = (10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
DAILY_TOKENS = 1_000_000
WHOLE_FILE_MODEL = ModelName("openai", "gpt-6.1-terra")
PLENTY = {"daily_token_budget": 1_000_000_000, "monthly_cost_limit": 100_000}


def replay(trace: dict[str, Any], keys: Sequence[float], options: argparse.Namespace) -> None:
    """Type a trace and print what that cost."""
    review = {} if options.settle is None else {"review": {"settle_ms": options.settle}}
    world = SpendWorld(latency=LATENCY, one_in=options.one_in, budget=PLENTY, **review)
    document = world.open("file:///nowhere/typed", options.language, trace["startContent"])
    world.wait(10)
    done, active = 0, 0.0
    for gap, patches in typed(trace, keys):
        world.wait(gap)
        active += gap if gap < BREAK else 0.0
        for place, gone, text in patches:
            snapshot = document.snapshot()
            world.edit(document, snapshot.position_at(place), snapshot.position_at(place + gone), text)
        done += 1
        if done >= options.edits:
            break
    world.wait(300)
    report_trace(world, done, active / 3600, len(document.snapshot().text))
    world.close()


def report_trace(world: SpendWorld, edits: int, hours: float, length: int) -> None:
    """Print the figures of a replayed trace."""
    tokens, micro_usd = world.booked()
    unused = sum(one.unused_tokens for one in world.purchases if one.permit and one.permit.usage)
    opinions = sum(one.usage.total_tokens for one in world.bought("second_opinion"))
    reviews = world.bought("review")
    print(f"{edits} edits in {hours:.2f} active hours, {length} characters at the end")
    print(f"{len(reviews)} reviews of {sum(len(one.keys) for one in reviews)} regions")
    print(f"booked: {tokens} tokens, {micro_usd / 1e6:.2f} USD; second opinions {opinions / max(1, tokens):.1%} of it")
    print(f"bought an answer that was never used: {unused / max(1, tokens):.1%} of the tokens")
    if tokens:
        print(f"a day's budget of {DAILY_TOKENS} tokens lasts {DAILY_TOKENS / (tokens / hours):.1f} active hours")
    report_rests(world)


def report_rests(world: SpendWorld) -> None:
    """Print how long authors wait: from the last edit of a region to its review, by how long it was left alone."""
    now = world.clock.monotonic()
    for least in RESTS:
        rested = [one for one in world.rests.due() if one.rested(now) >= least]
        delays = [one.delay for one in rested if one.delay is not None]
        waits = ", ".join(f"{part:.0%} {quantile(delays, part):.0f} s" for part in (0.25, 0.5, 0.75, 0.9, 0.99))
        share = len(delays) / max(1, len(rested))
        print(f"{len(rested)} versions of regions stood for {least:.0f} s or more: {share:.0%} were reviewed ({waits})")


@dataclass(frozen=True)
class Edit:
    """What one hunk cost, against the whole file; whether it changed code, and what keeps regions of it unreviewed."""

    code: int
    given: int
    taken: int
    micro_usd: int
    opinion: int
    whole_code: int
    whole_given: int
    whole_micro_usd: int
    changed_code: bool
    unreviewed: tuple[str, ...]


def type_hunk(world: SpendWorld, document: Any, block: Block, lines: list[str]) -> None:
    """Take the old lines away and type the new ones, one each 0.4 s."""
    last = document.snapshot().lines
    end = Position(block.old_end, 0) if block.old_end < len(last) else Position(len(last) - 1, len(last[-1]))
    world.edit(document, Position(block.old_start, 0), end, "")
    for offset, line in enumerate(lines):
        world.wait(0.4)
        place = Position(block.old_start + offset, 0)
        world.edit(document, place, place, line + "\n")


def whole_file(world: SpendWorld, text: str, fixed: int, taken: int) -> tuple[int, int, int]:
    """Code, all input and price of asking for the whole file."""
    numbered = "".join(f"{number}| {line}\n" for number, line in enumerate(text.split("\n"), 1))
    code = estimate_tokens(numbered, "openai")
    assert world.reviewer._assembly is not None
    prices = world.reviewer._assembly.services.prices
    return code, code + fixed, prices.cost(WHOLE_FILE_MODEL, code + fixed, taken, loopback=False)


def code_of(world: SpendWorld, document: Any) -> frozenset[str]:
    """What a document's regions hold, comments and blanks aside."""
    examined = world.reviewer._documents[document.uri].examined
    assert examined is not None
    return frozenset(keys.loose for keys in examined.keys)


def unreviewed(world: SpendWorld, document: Any) -> tuple[str, ...]:
    """Why regions that were edited have no result."""
    followed = world.reviewer._documents[document.uri]
    return tuple(
        one.words
        for one in followed.standings
        if one.progress is Progress.NOT_REVIEWED and one.reason is not Reason.OUT_OF_SCOPE and one.record is None
    )


def measure(world: SpendWorld, document: Any, fixed: int, seen: int, before: frozenset[str]) -> Edit:
    """What was bought since purchase number `seen`, when the code was as `before`."""
    new: list[Purchase] = [one for one in world.purchases[seen:] if one.permit and one.permit.usage]
    reviews = [one for one in new if one.purpose == "review"]
    given = sum(one.usage.input_tokens for one in reviews)
    taken = sum(one.usage.output_tokens for one in reviews)
    whole = whole_file(world, document.snapshot().text, fixed, max(taken, 20))
    return Edit(
        code=given - sum(one.fixed_tokens for one in reviews),
        given=given,
        taken=taken,
        micro_usd=sum(one.permit.booked[1] for one in reviews if one.permit),
        opinion=sum(one.usage.total_tokens for one in new if one.purpose != "review"),
        whole_code=whole[0],
        whole_given=whole[1],
        whole_micro_usd=whole[2],
        changed_code=not code_of(world, document) <= before,
        unreviewed=unreviewed(world, document),
    )


def replay_commits(world: SpendWorld, repository: Path, commits: int, most: int) -> None:
    """Type the hunks of a repository's last commits, at most `most` of them, and print what that cost."""
    edits: list[Edit] = []
    for number, (language, name, old, new) in enumerate(changes(repository, commits)):
        document = world.open(f"file:///nowhere/{repository.name}/{number}/{name}", language, old)
        world.wait(5)
        fixed = fixed_part(world, language)
        for block, lines in chosen_hunks(old, new, number):
            seen, before = len(world.purchases), code_of(world, document)
            type_hunk(world, document, block, lines)
            world.wait(20)
            world.save(document)
            world.wait(40)
            edits.append(measure(world, document, fixed, seen, before))
        world.shut(document)
        if len(edits) >= most:
            break
    report_commits(repository.name, edits)


def fixed_part(world: SpendWorld, language: str) -> int:
    """What each request repeats."""
    assert world.reviewer._assembly is not None
    texts = world.reviewer._assembly.services.texts
    return estimate_tokens(review_prompt(texts, language, (), "en", [], "0" * 16).system) + SCHEMA_TOKENS


def report_commits(name: str, edits: Sequence[Edit]) -> None:
    """Print the figures of a repository."""
    if not edits:
        print(f"{name}: no edits")
        return
    average = statistics.mean(edit.whole_code for edit in edits)
    print(f"{name}: {len(edits)} edits, files of {average:.0f} tokens on average")

    def row(label: str, ours: Sequence[float], whole: Sequence[float], unit: float = 1.0) -> None:
        ratios = [mine / other for mine, other in zip(ours, whole, strict=True)]
        per = f"{sum(ours) / len(ours) / unit:.6g} per edit against {sum(whole) / len(whole) / unit:.6g}"
        print(f"  {label}: {per}; median {statistics.median(ratios):.2f}, in all {sum(ours) / sum(whole):.2f}")

    row("code and context", [edit.code for edit in edits], [edit.whole_code for edit in edits])
    row("all input tokens", [edit.given for edit in edits], [edit.whole_given for edit in edits])
    row("USD", [edit.micro_usd for edit in edits], [edit.whole_micro_usd for edit in edits], 1e6)
    paid = [edit for edit in edits if edit.given]
    row("code and context, of what cost anything", [one.code for one in paid], [one.whole_code for one in paid])
    row("all input tokens, of what cost anything", [one.given for one in paid], [one.whole_given for one in paid])
    free = [edit for edit in edits if not edit.given]
    known = sum(edit.changed_code and not edit.unreviewed for edit in free)
    opinion = sum(edit.opinion for edit in edits) / len(edits)
    print(
        f"  {len(free)} edits cost nothing: {sum(not edit.changed_code for edit in free)} added no code, {known} left"
    )
    print("  only what was known or is too trivial; in the others regions wait:")
    for words, count in Counter(words for edit in edits for words in set(edit.unreviewed)).most_common():
        print(f"    after {count} edits of all: {words}")
    print(f"  second opinions take {opinion:.0f} tokens per edit beside this")


def main() -> None:
    """Run one of the two replays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-in", type=int, default=10, help="one region in so many has a severe finding")
    commands = parser.add_subparsers(dest="command", required=True)
    trace = commands.add_parser("trace")
    trace.add_argument("trace", type=Path)
    trace.add_argument("--gaps", type=Path, help="a trace with a clock finer than a second")
    trace.add_argument("--edits", type=int, default=1_000_000)
    trace.add_argument("--language", default="rust")
    trace.add_argument("--settle", type=int, help="review.settle_ms, in place of the default")
    repositories = commands.add_parser("commits")
    repositories.add_argument("repositories", type=Path, nargs="+")
    repositories.add_argument("--commits", type=int, default=20)
    repositories.add_argument("--hunks", type=int, default=200)
    options = parser.parse_args()
    if options.command == "trace":
        keys = gaps_of(read_trace(options.gaps)) if options.gaps else []
        replay(read_trace(options.trace), keys, options)
        return
    world = SpendWorld(latency=LATENCY, one_in=options.one_in, budget=PLENTY)
    for repository in options.repositories:
        replay_commits(world, repository, options.commits, options.hunks)
    world.close()


if __name__ == "__main__":
    main()
