"""One or more samples of each kind of secret, put together here from parts that no scanner takes for a secret."""

from __future__ import annotations

import random
import string


def _draw(alphabet: str, length: int, seed: int = 7) -> str:
    return "".join(random.Random(seed + length).choices(alphabet, k=length))


_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
BASE62 = _draw(_LETTERS, 120)
_PEM_BODY = "\n".join(_draw(_LETTERS + "+/", 64, seed) for seed in range(12)) + "\nQUJD=="
_UUID = f"{_draw(_HEX, 8)}-{_draw(_HEX, 4)}-4{_draw(_HEX, 3)}-a{_draw(_HEX, 3)}-{_draw(_HEX, 12)}"

# kind, text with the secret in place of @@, the secret
SAMPLES: list[tuple[str, str, str]] = [
    ("AGE_SECRET_KEY", "# @@\n", "AGE-SECRET-" + "KEY-1" + _draw("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    ("AIRTABLE_TOKEN", 'airtable("@@")', "pat" + BASE62[:14] + "." + _draw(_HEX, 64)),
    ("ANTHROPIC_KEY", "client = Anthropic(api_key='@@')", "sk-" + "ant-api03-" + BASE62[:95]),
    ("ATLASSIAN_TOKEN", "jira: @@", "ATATT" + "3" + BASE62[:80]),
    ("AUTHORIZATION_HEADER", '"Authorization": "Bearer @@"', BASE62[:40]),
    ("AUTHORIZATION_HEADER", "curl -H 'Authorization: Basic @@' x", BASE62[:31] + "="),
    ("AWS_ACCESS_KEY_ID", 'aws = ["@@"]', "AKIA" + _draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
    ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key = @@\n", _draw(_LETTERS + "/+", 40)),
    ("AZURE_CLIENT_SECRET", "ClientSecret: @@;", "aB3" + "8Q~" + _draw(_LETTERS, 33)),
    ("AZURE_SAS_SIGNATURE", "https://a.blob.core.windows.net/c?sv=1&sig=@@&se=2", BASE62[:43] + "%3D"),
    ("AZURE_SHARED_ACCESS_KEY", "Endpoint=sb://a;SharedAccessKey=@@;EntityPath=q", BASE62[:43] + "="),
    ("AZURE_STORAGE_KEY", "DefaultEndpointsProtocol=https;AccountKey=@@;x", BASE62[:86] + "=="),
    ("BREVO_KEY", "@@", "xkey" + "sib-" + _draw(_HEX, 64) + "-" + BASE62[:16]),
    ("CLOUDFLARE_ORIGIN_CA_KEY", "@@", "v1.0-" + _draw(_HEX, 24) + "-" + _draw(_HEX, 146)),
    ("CONNECTION_PASSWORD", "Server=db;User Id=app;Password=@@;Encrypt=true", "s3same!open"),
    ("CONNECTION_PASSWORD", '"Password=@@;Server=db"', "s3same!open"),
    ("DATABRICKS_TOKEN", "@@", "da" + "pi" + _draw(_HEX, 32)),
    ("DIGITALOCEAN_TOKEN", "do: '@@'", "dop" + "_v1_" + _draw(_HEX, 64)),
    ("DISCORD_BOT_TOKEN", "bot.run('@@')", "M" + BASE62[:23] + "." + BASE62[30:36] + "." + BASE62[40:70]),
    ("DISCORD_WEBHOOK", "https://discord.com/api/webhooks/123456789012345678/@@", BASE62[:68]),
    ("DOCKER_TOKEN", "docker login -p @@", "dckr" + "_pat_" + BASE62[:27]),
    ("DOPPLER_TOKEN", "@@", "dp." + "pt." + BASE62[:43]),
    ("DROPBOX_TOKEN", "@@", "s" + "l." + BASE62[:120] + BASE62[:15]),
    ("FACEBOOK_TOKEN", "@@", "EAA" + "B" + BASE62[:110]),
    ("FIGMA_TOKEN", "@@", "fi" + "gd_" + BASE62[:43]),
    ("FIREBASE_SERVER_KEY", "@@", "AAAA" + BASE62[:7] + ":APA91b" + BASE62 + BASE62[:14]),
    ("GITHUB_FINE_GRAINED_TOKEN", "t = '@@'", "github" + "_pat_" + BASE62[:22] + "_" + BASE62[:59]),
    ("GITHUB_TOKEN", "git clone https://x.com # @@", "gh" + "p_" + BASE62[:36]),
    ("GITHUB_TOKEN", "@@", "gh" + "s_" + "a" * 36),
    ("GITLAB_TOKEN", "// @@", "gl" + "pat-" + BASE62[:20]),
    ("GOOGLE_API_KEY", "maps?key=@@&v=3", "AI" + "za" + BASE62[:35]),
    ("GOOGLE_OAUTH_SECRET", "'@@'", "GOC" + "SPX-" + BASE62[:28]),
    ("GOOGLE_OAUTH_TOKEN", "'@@'", "ya" + "29." + BASE62[:60]),
    ("GRAFANA_TOKEN", "'@@'", "gl" + "sa_" + BASE62[:32] + "_" + _draw(_HEX, 8)),
    ("GROQ_KEY", "'@@'", "gs" + "k_" + BASE62[:52]),
    ("HEROKU_KEY", "heroku_api_key = '@@'", _UUID),
    ("HUGGINGFACE_TOKEN", "login(token='@@')", "h" + "f_" + _draw(string.ascii_letters, 34)),
    (
        "JSON_WEB_TOKEN",
        "Cookie: session=@@",
        "ey" + "J" + BASE62[:30] + ".ey" + "J" + BASE62[30:80] + "." + BASE62[50:93],
    ),
    ("LINEAR_KEY", "'@@'", "lin" + "_api_" + BASE62[:40]),
    ("MAILCHIMP_KEY", "mc('@@')", _draw(_HEX, 32) + "-us" + "14"),
    ("MAILGUN_KEY", "mg('@@')", "ke" + "y-" + _draw(_HEX, 32)),
    ("NEW_RELIC_KEY", "@@", "NR" + "AK-" + _draw(string.ascii_uppercase + string.digits, 27)),
    ("NOTION_TOKEN", "@@", "nt" + "n_" + BASE62[:46]),
    ("NPM_TOKEN", "//registry.example/:_authToken=@@", _UUID),
    ("NPM_TOKEN", "@@", "np" + "m_" + BASE62[:36]),
    ("OPENAI_KEY", "openai.api_key = '@@'", "s" + "k-" + BASE62[:48]),
    ("OPENAI_KEY", "OPENAI=@@", "s" + "k-proj-" + BASE62[:100] + "-_" + BASE62[:20]),
    ("OPENROUTER_KEY", "@@", "s" + "k-or-v1-" + _draw(_HEX, 64)),
    ("PASSWORD", "password = '@@'", "hunter22!"),
    ("PASSWORD", "db.connect(user='x', passwd=\"@@\")", "Tr0ub4dor&3"),
    ("PASSWORD", 'if (password === "@@") {', "s3same-Op3n"),
    ("PASSWORD", '{"password": "@@"}', "c0rrect.Horse!"),
    ("PASSWORD", "POSTGRES_PASSWORD=@@\n", "Sup3rS3cret!"),
    ("PASSWORD", "<password>@@</password>", "q8fhKx!22"),
    ("PERPLEXITY_KEY", "@@", "pp" + "lx-" + BASE62[:48]),
    ("PLANETSCALE_TOKEN", "@@", "psc" + "ale_tkn_" + BASE62[:43]),
    ("POSTMAN_KEY", "@@", "PM" + "AK-" + _draw(_HEX, 24) + "-" + _draw(_HEX, 34)),
    ("PRIVATE_KEY", "-----BEGIN RSA PRIVATE " + "KEY-----\n@@\n-----END RSA PRIVATE " + "KEY-----\n", _PEM_BODY),
    (
        "PRIVATE_KEY",
        'k = "-----BEGIN PRIVATE ' + "KEY-----\\n@@\\n-----END PRIVATE " + 'KEY-----"',
        _PEM_BODY.replace("\n", "\\n"),
    ),
    ("PRIVATE_KEY", "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n@@\n\ndef f(): pass\n", _PEM_BODY.rpartition("\n")[0]),
    ("PRIVATE_KEY", "-----BEGIN EC PRIVATE " + "KEY-----\n@@\n\ndef f(): pass\n", _PEM_BODY),
    ("PRIVATE_KEY", "-----BEGIN PGP PRIVATE " + "KEY BLOCK-----\n@@\n-----END PGP", "Version: 2\n\n" + _PEM_BODY),
    ("PULUMI_TOKEN", "@@", "pu" + "l-" + _draw(_HEX, 40)),
    ("PUTTY_PRIVATE_KEY", "Private-Lines: 14\n@@\nPrivate-MAC: x", _PEM_BODY),
    ("PYPI_TOKEN", "password = @@", "pypi-" + "AgE" + BASE62[:110]),
    ("REPLICATE_TOKEN", "@@", "r" + "8_" + BASE62[:37]),
    ("RUBYGEMS_KEY", "@@", "ruby" + "gems_" + _draw(_HEX, 48)),
    ("SECRET", "api_key: str = '@@'", BASE62[:24]),
    ("SECRET", 'client.setSecret("@@")', BASE62[:24]),
    ("SECRET", "const apiKey = `@@`;", _draw(_HEX, 32)),
    ("SECRET", "SESSION_SECRET=@@", _draw(_HEX, 64)),
    ("SECRET", '"access_token": "@@",', BASE62[:43]),
    ("SECRET", 'Token string `json:"x"`; cfg.Token = "@@"', BASE62[:30]),
    ("SENDGRID_KEY", "@@", "S" + "G." + BASE62[:22] + "." + BASE62[:43]),
    ("SENTRY_TOKEN", "@@", "sn" + "trys_" + BASE62[:90]),
    ("SHOPIFY_TOKEN", "@@", "shp" + "at_" + _draw(_HEX, 32)),
    ("SLACK_TOKEN", "@@", "xo" + "xb-" + "123456789012-1234567890123-" + BASE62[:24]),
    ("SLACK_WEBHOOK", "https://hooks.slack.com/services/@@", "T" + "0" * 8 + "/B" + "1" * 8 + "/" + BASE62[:24]),
    ("SQUARE_TOKEN", "@@", "sq0" + "atp-" + BASE62[:22]),
    ("STRIPE_KEY", "stripe.api_key = '@@'", "sk" + "_live_" + BASE62[:24]),
    ("STRIPE_WEBHOOK_SECRET", "@@", "wh" + "sec_" + BASE62[:32]),
    ("SUPABASE_TOKEN", "@@", "sb" + "p_" + _draw(_HEX, 40)),
    ("TELEGRAM_BOT_TOKEN", "https://api.telegram.org/bot@@/getMe", "1234567890:" + "AA" + BASE62[:33]),
    ("TERRAFORM_TOKEN", "@@", BASE62[:14] + ".atlas" + "v1." + BASE62[:65]),
    ("TWILIO_API_KEY", "Client('@@')", "S" + "K" + _draw(_HEX, 32)),
    ("URL_PASSWORD", "postgres://app:@@@db.internal:5432/x", "s3same"),
    ("URL_PASSWORD", "redis://:@@@cache/0", "n0tS0Secret"),
    ("VAULT_TOKEN", "@@", "hv" + "s." + BASE62[:90]),
    ("XAI_KEY", "@@", "xa" + "i-" + BASE62[:80]),
]
