"""Secrets are found exactly, whole, and only where they are. The samples are put together here from parts that no
scanner takes for a secret."""

from __future__ import annotations

import random
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lsp.core.redaction import SecretSpan, find_secrets, secret_kinds
from aiops_lsp.core.secret_patterns import compile_pattern, pattern_problems


def _draw(alphabet: str, length: int, seed: int = 7) -> str:
    return "".join(random.Random(seed + length).choices(alphabet, k=length))


_BASE62 = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_B62 = _draw(_BASE62, 120)
_PEM_BODY = "\n".join(_draw(_BASE62 + "+/", 64, seed) for seed in range(12)) + "\nQUJD=="
_UUID = f"{_draw(_HEX, 8)}-{_draw(_HEX, 4)}-4{_draw(_HEX, 3)}-a{_draw(_HEX, 3)}-{_draw(_HEX, 12)}"

# kind, text with the secret in place of @@, the secret
SAMPLES: list[tuple[str, str, str]] = [
    ("AGE_SECRET_KEY", "# @@\n", "AGE-SECRET-" + "KEY-1" + _draw("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    ("AIRTABLE_TOKEN", 'airtable("@@")', "pat" + _B62[:14] + "." + _draw(_HEX, 64)),
    ("ANTHROPIC_KEY", "client = Anthropic(api_key='@@')", "sk-" + "ant-api03-" + _B62[:95]),
    ("ATLASSIAN_TOKEN", "jira: @@", "ATATT" + "3" + _B62[:80]),
    ("AUTHORIZATION_HEADER", '"Authorization": "Bearer @@"', _B62[:40]),
    ("AUTHORIZATION_HEADER", "curl -H 'Authorization: Basic @@' x", _B62[:31] + "="),
    ("AWS_ACCESS_KEY_ID", 'aws = ["@@"]', "AKIA" + _draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
    ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key = @@\n", _draw(_BASE62 + "/+", 40)),
    ("AZURE_CLIENT_SECRET", "ClientSecret: @@;", "aB3" + "8Q~" + _draw(_BASE62, 33)),
    ("AZURE_SAS_SIGNATURE", "https://a.blob.core.windows.net/c?sv=1&sig=@@&se=2", _B62[:43] + "%3D"),
    ("AZURE_SHARED_ACCESS_KEY", "Endpoint=sb://a;SharedAccessKey=@@;EntityPath=q", _B62[:43] + "="),
    ("AZURE_STORAGE_KEY", "DefaultEndpointsProtocol=https;AccountKey=@@;x", _B62[:86] + "=="),
    ("BREVO_KEY", "@@", "xkey" + "sib-" + _draw(_HEX, 64) + "-" + _B62[:16]),
    ("CLOUDFLARE_ORIGIN_CA_KEY", "@@", "v1.0-" + _draw(_HEX, 24) + "-" + _draw(_HEX, 146)),
    ("CONNECTION_PASSWORD", "Server=db;User Id=app;Password=@@;Encrypt=true", "s3same!open"),
    ("CONNECTION_PASSWORD", '"Password=@@;Server=db"', "s3same!open"),
    ("DATABRICKS_TOKEN", "@@", "da" + "pi" + _draw(_HEX, 32)),
    ("DIGITALOCEAN_TOKEN", "do: '@@'", "dop" + "_v1_" + _draw(_HEX, 64)),
    ("DISCORD_BOT_TOKEN", "bot.run('@@')", "M" + _B62[:23] + "." + _B62[30:36] + "." + _B62[40:70]),
    ("DISCORD_WEBHOOK", "https://discord.com/api/webhooks/123456789012345678/@@", _B62[:68]),
    ("DOCKER_TOKEN", "docker login -p @@", "dckr" + "_pat_" + _B62[:27]),
    ("DOPPLER_TOKEN", "@@", "dp." + "pt." + _B62[:43]),
    ("DROPBOX_TOKEN", "@@", "s" + "l." + _B62[:120] + _B62[:15]),
    ("FACEBOOK_TOKEN", "@@", "EAA" + "B" + _B62[:110]),
    ("FIGMA_TOKEN", "@@", "fi" + "gd_" + _B62[:43]),
    ("FIREBASE_SERVER_KEY", "@@", "AAAA" + _B62[:7] + ":APA91b" + _B62 + _B62[:14]),
    ("GITHUB_FINE_GRAINED_TOKEN", "t = '@@'", "github" + "_pat_" + _B62[:22] + "_" + _B62[:59]),
    ("GITHUB_TOKEN", "git clone https://x.com # @@", "gh" + "p_" + _B62[:36]),
    ("GITHUB_TOKEN", "@@", "gh" + "s_" + "a" * 36),
    ("GITLAB_TOKEN", "// @@", "gl" + "pat-" + _B62[:20]),
    ("GOOGLE_API_KEY", "maps?key=@@&v=3", "AI" + "za" + _B62[:35]),
    ("GOOGLE_OAUTH_SECRET", "'@@'", "GOC" + "SPX-" + _B62[:28]),
    ("GOOGLE_OAUTH_TOKEN", "'@@'", "ya" + "29." + _B62[:60]),
    ("GRAFANA_TOKEN", "'@@'", "gl" + "sa_" + _B62[:32] + "_" + _draw(_HEX, 8)),
    ("GROQ_KEY", "'@@'", "gs" + "k_" + _B62[:52]),
    ("HEROKU_KEY", "heroku_api_key = '@@'", _UUID),
    ("HUGGINGFACE_TOKEN", "login(token='@@')", "h" + "f_" + _draw(string.ascii_letters, 34)),
    ("JSON_WEB_TOKEN", "Cookie: session=@@", "ey" + "J" + _B62[:30] + ".ey" + "J" + _B62[30:80] + "." + _B62[50:93]),
    ("LINEAR_KEY", "'@@'", "lin" + "_api_" + _B62[:40]),
    ("MAILCHIMP_KEY", "mc('@@')", _draw(_HEX, 32) + "-us" + "14"),
    ("MAILGUN_KEY", "mg('@@')", "ke" + "y-" + _draw(_HEX, 32)),
    ("NEW_RELIC_KEY", "@@", "NR" + "AK-" + _draw(string.ascii_uppercase + string.digits, 27)),
    ("NOTION_TOKEN", "@@", "nt" + "n_" + _B62[:46]),
    ("NPM_TOKEN", "//registry.example/:_authToken=@@", _UUID),
    ("NPM_TOKEN", "@@", "np" + "m_" + _B62[:36]),
    ("OPENAI_KEY", "openai.api_key = '@@'", "s" + "k-" + _B62[:48]),
    ("OPENAI_KEY", "OPENAI=@@", "s" + "k-proj-" + _B62[:100] + "-_" + _B62[:20]),
    ("OPENROUTER_KEY", "@@", "s" + "k-or-v1-" + _draw(_HEX, 64)),
    ("PASSWORD", "password = '@@'", "hunter22!"),
    ("PASSWORD", "db.connect(user='x', passwd=\"@@\")", "Tr0ub4dor&3"),
    ("PASSWORD", 'if (password === "@@") {', "s3same-Op3n"),
    ("PASSWORD", '{"password": "@@"}', "c0rrect.Horse!"),
    ("PASSWORD", "POSTGRES_PASSWORD=@@\n", "Sup3rS3cret!"),
    ("PASSWORD", "<password>@@</password>", "q8fhKx!22"),
    ("PERPLEXITY_KEY", "@@", "pp" + "lx-" + _B62[:48]),
    ("PLANETSCALE_TOKEN", "@@", "psc" + "ale_tkn_" + _B62[:43]),
    ("POSTMAN_KEY", "@@", "PM" + "AK-" + _draw(_HEX, 24) + "-" + _draw(_HEX, 34)),
    ("PRIVATE_KEY", "-----BEGIN RSA PRIVATE " + "KEY-----\n@@\n-----END RSA PRIVATE " + "KEY-----\n", _PEM_BODY),
    (
        "PRIVATE_KEY",
        'k = "-----BEGIN PRIVATE ' + "KEY-----\\n@@\\n-----END PRIVATE " + 'KEY-----"',
        _PEM_BODY.replace("\n", "\\n"),
    ),
    ("PRIVATE_KEY", "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n@@\n\ndef f(): pass\n", _PEM_BODY.rpartition("\n")[0]),
    ("PRIVATE_KEY", "-----BEGIN PGP PRIVATE " + "KEY BLOCK-----\n@@\n-----END PGP", "Version: 2\n\n" + _PEM_BODY),
    ("PULUMI_TOKEN", "@@", "pu" + "l-" + _draw(_HEX, 40)),
    ("PUTTY_PRIVATE_KEY", "Private-Lines: 14\n@@\nPrivate-MAC: x", _PEM_BODY),
    ("PYPI_TOKEN", "password = @@", "pypi-" + "AgE" + _B62[:110]),
    ("REPLICATE_TOKEN", "@@", "r" + "8_" + _B62[:37]),
    ("RUBYGEMS_KEY", "@@", "ruby" + "gems_" + _draw(_HEX, 48)),
    ("SECRET", "api_key: str = '@@'", _B62[:24]),
    ("SECRET", 'client.setSecret("@@")', _B62[:24]),
    ("SECRET", "const apiKey = `@@`;", _draw(_HEX, 32)),
    ("SECRET", "SESSION_SECRET=@@", _draw(_HEX, 64)),
    ("SECRET", '"access_token": "@@",', _B62[:43]),
    ("SECRET", 'Token string `json:"x"`; cfg.Token = "@@"', _B62[:30]),
    ("SENDGRID_KEY", "@@", "S" + "G." + _B62[:22] + "." + _B62[:43]),
    ("SENTRY_TOKEN", "@@", "sn" + "trys_" + _B62[:90]),
    ("SHOPIFY_TOKEN", "@@", "shp" + "at_" + _draw(_HEX, 32)),
    ("SLACK_TOKEN", "@@", "xo" + "xb-" + "123456789012-1234567890123-" + _B62[:24]),
    ("SLACK_WEBHOOK", "https://hooks.slack.com/services/@@", "T" + "0" * 8 + "/B" + "1" * 8 + "/" + _B62[:24]),
    ("SQUARE_TOKEN", "@@", "sq0" + "atp-" + _B62[:22]),
    ("STRIPE_KEY", "stripe.api_key = '@@'", "sk" + "_live_" + _B62[:24]),
    ("STRIPE_WEBHOOK_SECRET", "@@", "wh" + "sec_" + _B62[:32]),
    ("SUPABASE_TOKEN", "@@", "sb" + "p_" + _draw(_HEX, 40)),
    ("TELEGRAM_BOT_TOKEN", "https://api.telegram.org/bot@@/getMe", "1234567890:" + "AA" + _B62[:33]),
    ("TERRAFORM_TOKEN", "@@", _B62[:14] + ".atlas" + "v1." + _B62[:65]),
    ("TWILIO_API_KEY", "Client('@@')", "S" + "K" + _draw(_HEX, 32)),
    ("URL_PASSWORD", "postgres://app:@@@db.internal:5432/x", "s3same"),
    ("URL_PASSWORD", "redis://:@@@cache/0", "n0tS0Secret"),
    ("VAULT_TOKEN", "@@", "hv" + "s." + _B62[:90]),
    ("XAI_KEY", "@@", "xa" + "i-" + _B62[:80]),
]


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
        "url = 'postgres://postgres:postgres@localhost/db'",
        "f'https://{user}:{password}@{host}'",
        "commit = 'd670460b4b4aece5915caf5c68d12f560a9fe3e4'",
        'integrity="sha512-' + _B62[:86] + '=="',
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
    secret = "gh" + "p_" + _B62[:36]
    (span,) = find_secrets(f'github_token = "{secret}"')
    assert span.kind == "GITHUB_TOKEN"


def test_letters_that_grow_in_lower_case_do_not_shift_spans() -> None:
    text = 'İİİ = 1\npassword = "hunter22!"'
    (span,) = find_secrets(text)
    assert text[span.start : span.end] == "hunter22!"


@settings(deadline=None)  # other programs share the machine
@given(
    st.lists(st.sampled_from([*(row[1].replace("@@", row[2]) for row in SAMPLES), "x\r\n", "\ud800", "'", '"', "\f"]))
)
def test_spans_are_sorted_disjoint_and_inside(parts: list[str]) -> None:
    text = " ".join(parts)
    spans = find_secrets(text, ["zz+"])
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@settings(deadline=None)  # other programs share the machine
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


@settings(deadline=None)  # other programs share the machine
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
