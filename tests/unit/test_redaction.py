"""Secrets are found exactly, whole, and only where they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.redaction import SecretSpan, find_secrets, secret_kinds
from aiops_lsp.core.secret_patterns import compile_pattern, pattern_problems
from tests.support.secret_samples import BASE62, SAMPLES


@pytest.mark.parametrize(
    ("kind", "template", "secret"), SAMPLES, ids=[f"{i}-{row[0]}" for i, row in enumerate(SAMPLES)]
)
def test_secret_is_found_exactly(kind: str, template: str, secret: str) -> None:
    before, _, after = template.partition("@@")
    text = f"π first\r\n{before}{secret}{after}\nlast"
    start = len("π first\r\n") + len(before)
    assert find_secrets(text) == (SecretSpan(start, start + len(secret), kind),)


def test_every_kind_has_a_sample() -> None:
    assert {row[0] for row in SAMPLES} | {"USER_PATTERN"} == set(secret_kinds())
    assert len(secret_kinds()) >= 25


def test_kinds_fit_into_a_placeholder() -> None:
    assert all(re.fullmatch(r"[A-Z0-9_]+", kind) for kind in secret_kinds())


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        'password = getpass.getpass("Password for user1: ")',
        "token = tokenize_line2(source_text1)",
        "password=md5_password2",
        'API_KEY = "your-api-key-goes-here-0123"',
        'secret = "${VAULT_SECRET_2026}"',
        'password: "changeme123"',
        "url = 'https://user:password@example.org/'",
        "connect(user=self.user, password=self.password, database=self.database)",
        "connect(host=settings.host, password=settings.db.password)",
        "url = 'postgres://postgres:postgres@localhost/db'",
        "f'https://{user}:{password}@{host}'",
        "commit = 'd670460b4b4aece5915caf5c68d12f560a9fe3e4'",
        'integrity="sha512-' + BASE62[:86] + '=="',
        'token_type = "urn:ietf:params:oauth:token-type:jwt"',
        'SECRET_NAME = "projects/my-app/secrets/db-password/versions/1"',
        'key = "abcdefghijklmnopqrstuvwxyz0123456789"',
        'API_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"',
        '"-----BEGIN PRIVATE KEY-----" in text and text.endswith("-----END PRIVATE KEY-----")',
        'PASSWORD_RE = re.compile(r"^(?=.*[0-9])[a-zA-Z0-9]{8,}$")',
        '"tokens": ["AsyncInputTokensWithRawResponse", "X509WorkloadIdentity"],',
        "import sk_learn_test_something_long_enough_for_a_key",
    ],
)
def test_nothing_is_found(text: str) -> None:
    assert find_secrets(text) == ()


def test_one_span_for_a_secret_that_two_sources_find() -> None:
    secret = "gh" + "p_" + BASE62[:36]
    (span,) = find_secrets(f'github_token = "{secret}"')
    assert span.kind == "GITHUB_TOKEN"


def test_letters_that_grow_in_lower_case_do_not_shift_spans() -> None:
    text = 'İİİ = 1\npassword = "hunter22!"'
    (span,) = find_secrets(text)
    assert text[span.start : span.end] == "hunter22!"


@given(
    st.lists(st.sampled_from([*(row[1].replace("@@", row[2]) for row in SAMPLES), "x\r\n", "\ud800", "'", '"', "\f"]))
)
def test_spans_are_sorted_disjoint_and_inside(parts: list[str]) -> None:
    text = " ".join(parts)
    spans = find_secrets(text, ["zz+"])
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(st.text(alphabet=st.sampled_from("pasword=:'\"\n -BEGINPRVATKY/@\\\ud800é"), max_size=400))
def test_no_text_is_too_odd(text: str) -> None:
    assert all(text[span.start : span.end] for span in find_secrets(text))


def test_a_user_pattern_names_the_whole_match_or_its_group() -> None:
    text = "id ACME-12345 and internal=blue;"
    spans = find_secrets(text, [r"ACME-\d{5}", r"internal=(?P<secret>\w+)"])
    assert [text[span.start : span.end] for span in spans] == ["ACME-12345", "blue"]
    assert {span.kind for span in spans} == {"USER_PATTERN"}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("[a-", "not a valid regular expression"),
        ("", "empty"),
        ("a*", "matches empty text"),
        ("(a+)+b", "varies in length and is itself repeated"),
        ("(a|aa)*b", "varies in length and is itself repeated"),
        ("(a?){30}a{30}", "varies in length and is itself repeated"),
        (r"\w+\d+x", "two repetitions in a row"),
        (".*.*=", "two repetitions in a row"),
        ("a{600}", "more than 512 times"),
        (r"(a)?(?(1)b|c)", "conditional"),
        ("(?x) a +", "verbose"),
        ("x" * 501, "longer than 500"),
    ],
)
def test_a_bad_user_pattern_is_named_and_passed_over(pattern: str, words: str) -> None:
    (problem,) = pattern_problems([pattern])
    assert words in problem
    assert find_secrets("aaaa ACME-1", [pattern, r"ACME-\d"]) == (SecretSpan(5, 11, "USER_PATTERN"),)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"ACME-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}", "ACME-01234567-89ab-cdef-0123"),
        (r"(?i)corp[_-]key\s*=\s*[\"']([^\"']+)[\"']", 'CORP_KEY = "x y"'),
        (r"\bX(?:foo|bar)\d{4,}\b", "Xbar12345"),
        (r"(?<=pin: )\d+", "42"),
        (r"[]a]b\]{2}", "]b]]"),
    ],
)
def test_a_good_user_pattern_keeps_its_meaning(pattern: str, text: str) -> None:
    assert pattern_problems([pattern]) == ()
    expression = compile_pattern(pattern)
    assert expression is not None
    match = expression.search(f"pin: {text}")
    assert match is not None
    assert match[0] == text


@given(st.text(alphabet=st.sampled_from("ab.*+?{}1,()[]|\\dw^$-:=<!P"), max_size=20))
def test_any_pattern_is_either_used_or_explained(pattern: str) -> None:
    assert (compile_pattern(pattern) is None) == bool(pattern_problems([pattern]))


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN PRIVATE " + "KEY-----",
        "password = ",
        "server= password=",
        "eyJaaaaaaaaaa.",
        "token>a",
        "://b:b",
        "\\n ",
    ],
)
@pytest.mark.parametrize("head", ["", "-----BEGIN PRIVATE " + "KEY-----"])
def test_repetition_does_not_stall(head: str, piece: str) -> None:
    """Each of these once took, or could take, minutes in a regular expression that backtracks."""
    text = head + piece * (100_000 // len(piece))
    assert len(find_secrets(text)) <= len(text) // 8
