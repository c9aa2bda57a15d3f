"""The table of secret formats that have a shape of their own.

Each row names a kind, the literals of which one must be in the text before its expression is tried (a substring
search is a hundred times cheaper), and an expression whose group `s`, or whole match, is the secret and nothing
else. Formats are those that their issuers publish; the first of two rows that match the same text names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_START = r"(?<![A-Za-z0-9_-])"
_END = r"(?![A-Za-z0-9_-])"


@dataclass(frozen=True, slots=True)
class SecretFormat:
    """One format. `literals` are compared with the text, or with its lower case when `any_case` is set.

    `one_run` says that a secret of this format is a run of at least 15 characters of `RUN`.
    """

    kind: str
    literals: tuple[str, ...]
    expression: re.Pattern[str]
    any_case: bool = False
    one_run: bool = False


RUN = re.compile(r"[A-Za-z0-9_.:+/=-]{15,}", re.ASCII)
"""What may be a token. Few parts of a text are, so that searching those alone for sixty literals is cheap."""


def _row(kind: str, literals: str, expression: str) -> SecretFormat:
    """A format that starts and ends where no word goes on."""
    return SecretFormat(kind, tuple(literals.split()), re.compile(_START + expression + _END, re.ASCII), one_run=True)


def _raw(kind: str, literals: str, expression: str) -> SecretFormat:
    """A format found anywhere, in any case."""
    return SecretFormat(kind, tuple(literals.split()), re.compile(expression, re.ASCII | re.IGNORECASE), any_case=True)


# The body between the two markers. A key whose end is missing (cut off, or still being pasted) ends with its last
# line of base64.
_PEM = SecretFormat(
    "PRIVATE_KEY",
    ("PRIVATE KEY",),
    re.compile(
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[ \t]|\\[nr]|[\"'`+,]|//|\#|\*){0,16}[\r\n]{0,2}"
        r"(?:(?P<s>[^\-]{16,20000}?(?:-(?!----)[^\-]{0,20000}?){0,8})-----END "
        r"|(?P<open>(?:(?:[ \t]{0,40}(?:\#|//|\*|--|;))?[ \t\"'`+]{0,40}[A-Za-z0-9+/=]{32,128}"
        r"(?:\\n|[\"'`+, \t]){0,40}[\r\n]{0,2}){1,200}"
        r"(?:(?:[ \t]{0,40}(?:\#|//|\*|--|;))?[ \t\"'`+]{0,40}[A-Za-z0-9+/]{1,31}={1,2})?))",
        re.ASCII,
    ),
)

# Lines of a PuTTY key may stand in comments, or in a string with escaped line ends.
_NEXT_LINE = r"(?:\\n|[ \t]{0,4}\r?\n[ \t]{0,40}(?:(?:\#|//|\*|--|;)[ \t]{0,8})?)"
_PUTTY_LINE = r"[A-Za-z0-9+/=]{1,64}(?=[ \t]{0,4}(?:\r?\n|\\n|[\"'`]|\Z))"

_HEX32 = "[0-9a-f]{32}"
_URL_SAFE = "[A-Za-z0-9_-]"

FORMATS: tuple[SecretFormat, ...] = (
    _PEM,
    SecretFormat(
        "PUTTY_PRIVATE_KEY",
        ("Private-Lines:",),
        re.compile(
            rf"Private-Lines: \d{{1,3}}{_NEXT_LINE}(?P<s>{_PUTTY_LINE}(?:{_NEXT_LINE}{_PUTTY_LINE}){{0,199}})", re.ASCII
        ),
    ),
    _row("AGE_SECRET_KEY", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _row("AWS_ACCESS_KEY_ID", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _raw(
        "AWS_SECRET_ACCESS_KEY",
        "secret",
        r"(?:secret_?access_?key|aws_?secret(?:_?key)?)(?:\\?[\"'])?\]?\s{0,4}(?::=|=>|[:=,])\s{0,4}(?:\\?[\"'])?"
        r"(?P<s>[a-z0-9/+]{40})(?![a-z0-9/+=])",
    ),
    _row("GITHUB_FINE_GRAINED_TOKEN", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _row("GITHUB_TOKEN", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _row(
        "GITLAB_TOKEN",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- gloas- glimt-",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt)-[A-Za-z0-9_.-]{20,300}",
    ),
    _row("SLACK_TOKEN", "xox xapp-", r"(?:xox[abceoprs]|xapp)-(?:\d-)?[A-Za-z0-9-]{10,300}"),
    SecretFormat(
        "SLACK_WEBHOOK",
        ("hooks.slack.com",),
        re.compile(
            r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Z0-9]{6,}/[A-Z0-9]{6,}/[A-Za-z0-9/]{16,})",
            re.ASCII,
        ),
    ),
    _row("STRIPE_KEY", "sk_live_ sk_test_ rk_live_ rk_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _row("STRIPE_WEBHOOK_SECRET", "whsec_", r"whsec_[A-Za-z0-9+/]{24,255}={0,2}"),
    _row("GOOGLE_API_KEY", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _row("GOOGLE_OAUTH_SECRET", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _row("GOOGLE_OAUTH_TOKEN", "ya29.", r"ya29\.[A-Za-z0-9_-]{30,}"),
    SecretFormat("AZURE_STORAGE_KEY", ("AccountKey=",), re.compile(r"AccountKey=(?P<s>[A-Za-z0-9+/]{86}==)", re.ASCII)),
    SecretFormat(
        "AZURE_SHARED_ACCESS_KEY",
        ("SharedAccessKey=",),
        re.compile(r"SharedAccessKey=(?P<s>[A-Za-z0-9+/]{40,88}={0,2})", re.ASCII),
    ),
    SecretFormat(
        "AZURE_SAS_SIGNATURE",
        ("sig=",),
        re.compile(r"[?&]sig=(?P<s>[A-Za-z0-9+/]{43}=|(?:[A-Za-z0-9]|%2[Bb]|%2[Ff]){43,90}%3[Dd])", re.ASCII),
    ),
    SecretFormat(
        "AZURE_CLIENT_SECRET",
        ("Q~",),
        re.compile(r"(?<![A-Za-z0-9_.~-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])", re.ASCII),
    ),
    _row("ANTHROPIC_KEY", "sk-ant-", r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,200}"),
    _row(
        "OPENAI_KEY",
        "sk-",
        r"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{32,250}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})",
    ),
    _row("OPENROUTER_KEY", "sk-or-", r"sk-or-v1-[0-9a-f]{64}"),
    _row("NPM_TOKEN", "npm_", r"npm_[A-Za-z0-9]{36}"),
    SecretFormat(
        "NPM_TOKEN",
        ("_authToken", "_auth=", "_password="),
        re.compile(r":_(?:authToken|auth|password)\s{0,2}=\s{0,2}(?P<s>[A-Za-z0-9+/=_-]{16,200})", re.ASCII),
    ),
    _row("PYPI_TOKEN", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,1000}"),
    _row("JSON_WEB_TOKEN", "eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}={0,2}"),
    _row("TWILIO_API_KEY", "SK", r"SK[0-9a-f]{32}"),
    _row("SENDGRID_KEY", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    _row("TELEGRAM_BOT_TOKEN", ":AA", r"(?:bot)?(?P<s>\d{8,10}:AA[A-Za-z0-9_-]{33})"),
    SecretFormat(
        "DISCORD_WEBHOOK",
        ("/api/webhooks/",),
        re.compile(r"discord(?:app)?\.com/api/webhooks/\d{10,25}/(?P<s>[A-Za-z0-9_-]{60,80})", re.ASCII),
    ),
    _row("DISCORD_BOT_TOKEN", "M N O", r"[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}"),
    _row("SHOPIFY_TOKEN", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _row("MAILGUN_KEY", "key-", rf"key-{_HEX32}"),
    _row("MAILCHIMP_KEY", "-us", rf"{_HEX32}-us\d{{1,2}}"),
    _row("DATABRICKS_TOKEN", "dapi", rf"dapi{_HEX32}(?:-\d)?"),
    _row("DIGITALOCEAN_TOKEN", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _row("HUGGINGFACE_TOKEN", "hf_", r"hf_[A-Za-z0-9]{34,40}"),
    _row("HEROKU_KEY", "HRKU-", r"HRKU-[A-Za-z0-9_-]{36,64}"),
    _raw(
        "HEROKU_KEY",
        "heroku",
        r"heroku[\w .-]{0,24}(?:key|token|secret|password)[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
        r"(?P<s>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    ),
    _row("NEW_RELIC_KEY", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _row("LINEAR_KEY", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _row("POSTMAN_KEY", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _row("GRAFANA_TOKEN", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2})"),
    _row("VAULT_TOKEN", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{24,300}"),
    _row("TERRAFORM_TOKEN", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}"),
    _row("DOCKER_TOKEN", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[A-Za-z0-9_-]{27,40}"),
    _row("ATLASSIAN_TOKEN", "ATATT3 ATCTT3", r"AT[AC]TT3[A-Za-z0-9_=-]{50,400}"),
    _row("NOTION_TOKEN", "ntn_ secret_", r"(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})"),
    _row("SUPABASE_TOKEN", "sbp_ sb_secret_", r"(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{31})"),
    _row("PLANETSCALE_TOKEN", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}"),
    _row("SENTRY_TOKEN", "sntrys_ sntryu_", r"(?:sntrys_[A-Za-z0-9+/=_-]{60,300}|sntryu_[0-9a-f]{64})"),
    _row("SQUARE_TOKEN", "sq0atp- sq0csp-", r"(?:sq0atp-[A-Za-z0-9_-]{22}|sq0csp-[A-Za-z0-9_-]{43})"),
    _row("DROPBOX_TOKEN", "sl.", r"sl\.(?:u\.)?[A-Za-z0-9_-]{120,1500}"),
    _row(
        "DOPPLER_TOKEN", "dp.pt. dp.st.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"
    ),
    _row("RUBYGEMS_KEY", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _row("GROQ_KEY", "gsk_", r"gsk_[A-Za-z0-9]{52}"),
    _row("XAI_KEY", "xai-", r"xai-[A-Za-z0-9]{70,90}"),
    _row("PERPLEXITY_KEY", "pplx-", r"pplx-[A-Za-z0-9]{40,60}"),
    _row("REPLICATE_TOKEN", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _row("FIGMA_TOKEN", "figd_", r"figd_[A-Za-z0-9_-]{38,50}"),
    _row("FACEBOOK_TOKEN", "EAACEdEose0cBA EAAG EAAB", r"EAA[A-Z][A-Za-z0-9]{90,300}"),
    _row("PULUMI_TOKEN", "pul-", r"pul-[0-9a-f]{40}"),
    _row("BREVO_KEY", "xkeysib-", r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    _row("CLOUDFLARE_ORIGIN_CA_KEY", "v1.0-", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}"),
    _row("AIRTABLE_TOKEN", "pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _row("FIREBASE_SERVER_KEY", ":APA91b", r"AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{130,140}"),
    _raw(
        "AUTHORIZATION_HEADER",
        "bearer basic",
        r"authorization(?:\\?[\"'])?\s{0,3}[:=,]\s{0,3}(?:\\?[\"'])?(?:bearer|basic|token)\s{1,3}"
        r"(?P<s>[a-z0-9+/._~-]{20,2000}={0,2})",
    ),
    _raw(
        "CONNECTION_PASSWORD",
        "password= pwd=",
        r"(?:server|host|data source|user id|uid|user|database|initial catalog)\s{0,2}=[^\"'`\r\n]{0,200}?[;\s]"
        r"(?:password|pwd)=(?P<s>[^\s;,()\"'`<>{}$%]{4,128})",
    ),
    _raw(
        "CONNECTION_PASSWORD",
        "password= pwd=",
        r"(?<![\w])(?:password|pwd)=(?P<s>[^\s;,()\"'`<>{}$%]{4,128});[^\"'`\r\n]{0,200}?"
        r"(?:server|host|data source|user id|uid|database|initial catalog)\s{0,2}=",
    ),
    _raw(
        "URL_PASSWORD",
        "://",
        r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'`<>{}()\[\]$?#\\,]{0,64}:(?P<s>[^\s:/@\"'`<>{}()\[\]$?#\\,|]{3,128})@(?=[a-z0-9\[])",
    ),
)
