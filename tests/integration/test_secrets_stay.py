"""No secret leaves the process: not to a provider, not into logs, cache, ledger or anything else on disk."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from aiops_lsp.core.findings import Origin
from aiops_lsp.observability.logs import PROCESS_KEYS, configure, redact_with
from tests.support.engine import desk, settings_for
from tests.support.provider import Provider, Reply, answer, finding
from tests.support.secret_samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiops_lsp.settings import Settings
    from tests.support.provider import Exchange

OWN = ("USER_PATTERN", "ticket @@ of", "internal-name-4711")
PLANTED = [*SAMPLES, OWN]
FAULT, MENDED = "1 / count", "safe(count)"


def settings(provider: Provider) -> Settings:
    generous = {"requests_per_minute": 1000, "reviews_per_document_per_minute": 600}
    privacy = {"redact_patterns": [r"internal-name-\d+"]}
    return settings_for(provider.base_url, limits=generous, privacy=privacy)


def in_code(number: int, text: str) -> str:
    """The text in a string of a call, with something to find fault with on the line that it begins on."""
    return f'def use_{number}(count):\n    connect({FAULT}, r"""{text}\n""")\n    return count\n'


def in_comments(number: int, text: str) -> str:
    lines = "".join(f"    # {line}\n" for line in text.split("\n"))
    return f"def tell_{number}(count):\n{lines}    return {FAULT}\n"


def as_settings(number: int, text: str) -> str:
    lines = "".join(f"{line}\n" for line in text.split("\n"))
    return f"# part {number}\n{lines}export COUNT_{number}=`{FAULT}`\n"


PLACES = {"code": ("python", in_code), "comments": ("python", in_comments), "settings": ("properties", as_settings)}


def planted(place: str) -> str:
    write = PLACES[place][1]
    filled = [template.replace("@@", secret) for _, template, secret in PLANTED]
    return "\n\n".join(write(number, text) for number, text in enumerate(filled))


def reviewer(exchange: Exchange) -> Reply:
    """Finds fault with each statement that holds the fault, quotes all of it, and writes all of it anew."""
    if exchange.finding_ids:
        return Reply()
    return Reply(answer({name: list(_faults(lines)) for name, lines in exchange.regions.items()}))


def _faults(lines: list[str]) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines, 1):
        if FAULT not in line:
            continue
        last = next((end for end, other in enumerate(lines, 1) if end >= number and other == '""")'), number)
        old = lines[number - 1 : last]
        new = [line.replace(FAULT, MENDED), *old[1:]]
        fix = {"start_line": number, "end_line": last, "old_lines": old, "new_lines": new}
        yield finding(line, number, title=f"Fails near {line}", why="\n".join(old), fix=fix)


def needles() -> dict[str, str]:
    """What must be nowhere: each line of each secret, and each half of it that is long enough to tell."""
    found: dict[str, str] = {}
    for kind, _, secret in PLANTED:
        for line in secret.replace("\\n", "\n").split("\n"):
            half = len(line) // 2
            parts = (line, line[:half], line[half:]) if half >= 12 else (line,)
            found |= {part: kind for part in parts if len(part) >= 6 and not part.startswith("Version")}
    return found


def forms(needle: str) -> Iterator[bytes]:
    """The needle as it would stand in bytes, in JSON, in a URL, in hexadecimal and, at any offset, in base64."""
    plain = needle.encode()
    yield plain
    yield json.dumps(needle)[1:-1].encode()
    yield quote(needle).encode()
    yield plain.hex().encode()
    for shift in range(3):
        cut = plain[shift : shift + (len(plain) - shift) // 3 * 3]
        if len(cut) >= 6:
            yield base64.b64encode(cut)


def check_nowhere(place: str, data: bytes) -> None:
    leaked = {kind for needle, kind in needles().items() if any(form in data for form in forms(needle))}
    assert not leaked, f"parts of these are in {place}: {leaked}"


def journal_of(provider: Provider) -> bytes:
    return json.dumps([[one.path, one.headers, one.body] for one in provider.journal], ensure_ascii=False).encode()


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_plants_are_many() -> None:
    assert len({kind for kind, _, _ in PLANTED}) >= 25
    for place in PLACES:
        assert all(needle in planted(place).replace("\\n", "\n") for needle in needles())


@pytest.mark.parametrize("place", PLACES)
async def test_no_secret_leaves(place: str, tmp_path: Path) -> None:
    handler = configure(tmp_path / "state" / "logs", redact_with(PROCESS_KEYS), level=logging.DEBUG)
    text = planted(place)
    async with Provider(reviewer) as provider, desk(settings(provider)) as at:
        document = at.open(text, uri=f"file:///project/{place}", language=PLACES[place][0])
        report = await at.reviewer.review(document.uri, deep=True)
        assert {(region.outcome, region.reason) for region in report.regions} == {("reviewed", "")}
        logging.getLogger("aiops_lsp.test").error("what was reviewed: %s", text)
        provider.script = [Reply(status=400, message=text[:2000]), Reply("no JSON: " + text[:2000])]
        at.replace(
            document, "part 0\n" if place == "settings" else "return", "part 00\n" if place == "settings" else "raise "
        )
        await at.reviewer.review(document.uri)
        told = " ".join(words for _, words in at.host.messages) + str(at.reviewer.status())
    handler.flush()
    assert b"REDACTED_GITHUB_TOKEN" in journal_of(provider)
    check_nowhere("a request", journal_of(provider))
    check_nowhere("a message", told.encode())
    written = files_under(tmp_path)
    assert {path.suffix for path in written} >= {".jsonl", ".db"} or len(written) >= 3
    for path in written:
        check_nowhere(path.name, path.read_bytes())


async def test_a_fix_around_a_secret_restores_it() -> None:
    text = planted("code")
    async with Provider(reviewer) as provider, desk(settings(provider)) as at:
        document = at.open(text, uri="file:///project/code.py")
        report = await at.reviewer.review(document.uri, deep=True)
    fixed = [one for one in report.findings if one.origin is Origin.MODEL and one.fix is not None]
    assert len(fixed) == len(PLANTED)
    snapshot = document.snapshot()
    for one in fixed:
        assert one.fix is not None
        (edit,) = one.fix.edits
        start, end = snapshot.offset_at(edit.range.start), snapshot.offset_at(edit.range.end)
        fault = text.index(FAULT, start)
        assert text[start:end] == edit.old_text
        assert text[:start] + edit.new_text + text[end:] == text[:fault] + MENDED + text[fault + len(FAULT) :]
    restored = "".join(edit.new_text for one in fixed if one.fix for edit in one.fix.edits)
    assert sum(secret in restored for _, _, secret in PLANTED) > 70
