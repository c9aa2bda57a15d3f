"""What comments say that talk to a reviewer or model, as patterns over their words in lower case.

No list of patterns is complete: what none of them meets reaches the model as a comment that is quoted like all code,
and the prompt says what to make of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_ROLES = r"(?:reviewers?|review (?:bots?|tools?)|auditors?|assistants?|agents?|models?|scanners?|bots?)"
_MACHINE = (
    r"(?:(?:(?:ai|a\.i\.|llm|gpt|automated|automatic|machine|virtual)[ -]+)+(?:(?:code|review|security)[ -]+)*"
    rf"{_ROLES}|ai|a\.i\.|llms?|gpt(?:-?[\d.]+)?|chatgpt|claude|gemini|copilot|codex|language models?)"
)
_HAILED = r"(?:^|(?<=[.!?;(])\s+)(?:@|dear |hey |hello |hi |attention |note (?:to|for) (?:the |any |all )?)?"
# What a docstring or a configuration says of a parameter ("agent: Agent object with ...", "llm: the client to use"), as
# long as nothing in the line judges, orders or speaks to somebody.
_SUBJECT = (
    rf"(?:{_ROLES}|{_MACHINE}|objects?|instances?|names?|ids?|identifiers?|class(?:es)?|types?|lists?|dict(?:ionar(?:y|ies))?"
    r"|strings?|str|users?|clients?|providers?|config(?:uration)?s?|settings?|wrappers?|sessions?|paths?|keys?|versions?)"
)
_JUDGED = (
    r"(?:safe|fine|ok|okay|good|secure|correct|clean|trust\w*|harmless|benign|inten\w+|exempt\w*|approv\w+|audit\w*|verif\w+|vetted"
    r"|certif\w+|cleared|ignor\w+|disregard|forget|override|bypass|skip\w*|overlook|omit|report\w*|flag\w*|mention\w*|review\w*"
    r"|findings?|issues?|bugs?|bug-free|problems?|defects?|vulnerab\w+|severity|confidence|instructions?|rules?|you|your|please"
    r"|must|should|shall|do not|don'?t|never|no|not|nothing|none|below|above|following|false positives?|lgtm)"
)
_DESCRIBED = (
    r"\s+(?:(?:(?:an?|the|optional|current|new|default|underlying)\s+)+(?:[\w.-]+\s+){0,2})?"
    rf"(?:names? of (?:an?|the)\s+)?{_SUBJECT}\b(?!.*\b{_JUDGED}\b)"
)
_TO_THEM = rf"\s*(?:,|:(?!{_DESCRIBED}))(?:\s|$)"
_THINGS = (
    r"(?:this|these|it|them|any(?:thing)?|issues?|problems?|findings?|bugs?|defects?|vulnerabilit(?:y|ies)"
    r"|the (?:following|above|below|next))"
)

# Names that are also plain subjects ("if AI is disabled, skip this") count only where the comment speaks to them.
_NAME = r"(?:ai|llm|gpt(?:-?\d)?|chatgpt|claude|copilot|gemini|codex|(?:large )?language[ -]models?)"
_ADDRESSEE = (
    r"(?:(?:(?:ai|code|automated|llm)[ -](?:code[ -])?review(?:er|ers|s|ing)?(?:[ -](?:bot|tool|agent)s?)?"
    r"|review(?:er|ers|[ -]bot)|(?:ai|coding) (?:assistant|agent|model|tool)s?|linters? and ai)\b"
    rf"|{_NAME}(?=\s*[:,;]|\s+(?:please|should|must|may|do not|don't)\b)"
    rf"|(?:to|for) (?:the |any |all |an? )?{_NAME}s?\b)"
)
_SILENCE = (
    r"(?:ignore|skip|overlook|disregard|approve|do(?: not|n'?t) (?:report|flag|mention|review|comment on|warn|raise)|"
    r"never (?:report|flag|mention)|no (?:issues|findings|bugs|problems|comments)|nothing to (?:report|see|flag)|"
    r"stay silent|(?:move|look) (?:on|away)|mark (?:this )?as (?:safe|clean|approved)|"
    r"(?:must|should) not (?:be )?(?:report|flag|mention|review)|report nothing|false positive)"
)

_SET_ASIDE = (
    r"\b(?:ignore|disregard|forget|override|bypass|discard)\s+(?:(?:any|all|every|the|these|those)\s+)+"
    r"(?:instructions?|directions|guidelines|rules (?=above|before|you))"
    r"(?=\s*(?:$|[.,;:!]|and\b|above|before|you|given))"
)
_LEAVE_OUT = (
    r"\b(?:do not|don'?t|never|must not|no need to|stop)\s+"
    r"(?:report|flag|mention|review|analy[sz]e|audit|comment on)(?:ing)?\s+(?:anything\b|(?:any |these |those |the )*"
    r"(?:findings|vulnerabilit(?:y|ies)|security)\b|(?:this|these|the (?:following|above|below|next))\s+"
    r"(?:\w+\s+)?(?:lines?|code|files?|functions?|methods?|class(?:es)?|blocks?|sections?|modules?|parts?|regions?)\b)"
)
_LEAVE_IT_OUT = r"^(?:please )?(?:do not|don'?t|never) (?:flag|review|analy[sz]e|comment on) (?:this|these|it|them)\b"
_EMPTY_ANSWER = (
    r"\b(?:report|return|output|answer(?: with)?|respond(?: with)?|reply(?: with)?|emit|give|produce|state|say)\b"
    r".{0,12}\b(?:no|zero|an empty(?: list of)?|without)\s+(?:findings?|issues?|defects?|bugs|problems)\b"
)
_JUDGE_AS = (
    r"\b(?:set|use|lower|raise|keep|make|give)\b.{0,16}\b(?:confidence|severity)\b.{0,12}"
    r"(?:\bto\b|\bof\b|=|:)\s*(?:0|1?\d\d?|zero|low|none|critical|high)\b"
)
_NO_FINDING = (
    r"\bdo(?: not|n'?t) (?:report|flag|mention) (?:this|these|that|any|it)\b[^.\n]{0,30}"
    r"\b(?:findings?|issues?|bugs?|vulnerabilit(?:y|ies)|defects?|in (?:the|your|a) review"
    r"|to the (?:user|developer))\b"
)
_OTHER_LANGUAGES = (
    r"\b(?:ignorier\w*|missachte\w*|ignore[zr]?|oublie[zr]?|ignor[ae]n?|olvid[ae]n?|desconsider[ae])\b.{0,30}"
    r"\b(?:anweisungen|instructions? (?:précédentes|ci-dessus)|instrucciones|instruções|istruzioni)\b",
    r"\b(?:melde\w*|berichte\w*|signale[zr]?|reporte[ns]?|informe[ns]?|relate[m]?|segnala(?:re|te)?)\s.{0,24}"
    r"\b(?:nichts|keine (?:fehler|probleme|befunde)|rien|aucun[e]?|ningún|ninguna|nada|nenhum[a]?|nulla|niente)\b",
    r"\b(?:игнорируй|проигнорируй|забудь|не сообщай|не упоминай)(?:те)?\b.{0,40}"
    r"(?:инструкци|указани|ошибк|уязвимост|проблем|эт[ои])",
    r"(?:忽略|无视|忘记|無視して|忘れて).{0,20}(?:指令|指示|说明|提示|規則|规则)|(?:指令|指示|説明).{0,8}(?:無視|忘れ)"
    r"|(?:不要|请勿|勿)(?:报告|报|指出|提及)|報告し(?:ない|ては)|지시.{0,8}무시|보고하지\s?(?:마|말)",
    r"(?:تجاهل|انس).{0,30}(?:التعليمات|الأوامر)|(?:התעלם|תתעלם).{0,20}(?:הוראות|ההוראות)",
)

_ADDRESSED = (
    # to set aside what the reviewer was told
    r"\b(?:ignore|disregard|forget|override|bypass|discard)\s+(?:(?:of|any|all|every|the|these|those|my|other)\s+)*"
    r"(?:your|previous|prior|above|earlier|preceding|foregoing|system|safety|review(?:er)?(?:'s)?)\b.{0,20}\b"
    r"(?:instructions?|prompts?|directions|guidelines|system messages?|rules)\b",
    _SET_ASIDE,
    # to be spoken to: "AI reviewer: ...", "note to automated tools"
    rf"{_HAILED}{_MACHINE}{_TO_THEM}",
    r"\b(?:notes?|message|messages|attention|notice|instructions?|reminder|hint|for)\b.{0,12}\b(?:to|for)?\s*"
    r"(?:the |any |all |every |an? )?(?:(?:ai|llm|automated|automatic)[ -]+)+(?:code |security )?"
    r"(?:review(?:er|ing)?s?|models?|tools?|agents?|assistants?|auditors?|scanners?|systems?|bots?)\b",
    r"\byou (?:are|act|must act)\s+(?:now\s+)?(?:as\s+)?(?:an?|the)\s.{0,24}\b"
    r"(?:ai|assistant|model|reviewer|linter|auditor|bot|agent)\b",
    # to be silent, or to say something else
    _LEAVE_OUT,
    _LEAVE_IT_OUT,
    _EMPTY_ANSWER,
    r"\b(?:report|emit|raise|invent)\b.{0,20}\bfindings?\b",
    _JUDGE_AS,
    rf"\b{_ADDRESSEE}[^.\n]{{0,60}}?\b{_SILENCE}\b",
    rf"\b{_SILENCE}\b[^.\n]{{0,40}}?\b(?:for|by|to|from) (?:the |any |all |an? )?{_ADDRESSEE}",
    _NO_FINDING,
    *_OTHER_LANGUAGES,
    # the answer's own keys, and other models' markup
    r"[\"'](?:regions|findings|verdicts|refuted|fix_correct|needs_outside_context)[\"']\s*:|\bneeds_outside_context\b",
    r"<\|?/?(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|?>|\[/?inst\]|<<sys>>"
    r"|^\W*(?:system|developer|assistant)\s*(?:prompt|message|override)\s*:",
    # to hand out what it knows, to use tools
    r"\b(?:reveal|print|show|repeat|leak|output|send)\b.{0,24}\b"
    r"(?:system prompt|your (?:prompt|instructions|rules)|api keys?|secrets? (?:you|in your))\b",
    r"\b(?:call|use|invoke|run)\s+(?:the|your)\s+.{0,24}\btools?\b.{0,24}\b(?:to|and|now)\b",
)
# Of these, what is only ever said to a reviewer: to set aside what it was told, to leave something out of a review, or
# to answer something else. Whoever builds on models writes the rest of the above all day ("messages for the LLM", "you
# are a helpful assistant", the markup of a chat): it is kept from the model as well, and not reported.
_REVIEWER = (
    r"(?:(?:(?:ai|a\.i\.|llm|gpt|automated|automatic|machine|virtual)[ -]+)+(?:(?:code|security|coding)[ -]+)*"
    r"(?:review(?:ers?|ing|s)?(?:[ -](?:bots?|tools?|agents?|models?))?|auditors?|scanners?)"
    r"|review[ -]bots?|code reviewers?|linters? and ai)"
)
_ON_THE_CODE = (
    r"(?:(?:ignore|skip|overlook) (?:this|these|it|the (?:following|above|below|next)|the \w+ (?:above|below))\b"
    r"|(?:do not|don'?t|never|must not|should not|stop|no need to) (?:report|flag|mention|review|comment on|warn|raise)"
    r"|(?:nothing|no \w+) to (?:report|see|flag)|stay silent|report nothing|false positive|approve\b"
    r"|(?:this|it|that|all|everything)\b.{0,24}\b(?:is|are|was|were)\b.{0,12}\b(?:safe|fine|ok|okay|secure|correct|intended)\b"
    r"|(?:safe|fine|ok|okay|secure)\s*(?:$|[.;!]))"
)
_NOT_OF_US = r"(?<!\bwe )(?<!\bthey )(?<!\bit )(?<!\bi )(?<!\bto )(?<!\balso )(?<!\bbut )(?<!there is )(?<!there's )"
_TO_SET_ASIDE = ("ignore", "disregard", "forget", "override", "bypass", "discard")
_WHAT_WAS_SAID = ("instruction", "prompt", "direction", "guideline", "message", "rules")
_REVIEWS = ("review", "auditor", "scanner", "linter")
_MACHINES = (
    *("ai:", "ai,", "ai ", "ai-", "ais:", "ais,", "ais ", "a.i.", "llm", "gpt", "claude", "gemini", "copilot", "codex"),
    *("language model", "language-model", "automated", "automatic", "machine", "virtual"),
)
_NOT_TO = ("not", "n't", "dont", "never", "need", "stop")
_TO_REPORT = ("report", "flag", "mention", "review", "analy", "audit", "comment")
_FOUND = ("finding", "issue", "defect", "bug", "problem", "vulnerab")
# Each with the words that stand in whatever it matches, one of every group: far cheaper to look for.
_REPORTED: tuple[tuple[tuple[tuple[str, ...], ...], str], ...] = (
    (
        (_TO_SET_ASIDE, _WHAT_WAS_SAID),
        r"(?<![\"'`])\b(?:ignore|disregard|forget)\s+(?:(?:of|any|all|every|the|these|those|my|other)\s+)*"
        r"(?:your|previous|prior|above|earlier|preceding|foregoing|safety|review(?:er)?(?:'s)?)\b.{0,20}\b"
        r"(?:instructions?|prompts?|directions|guidelines|system messages?|rules)\b",
    ),
    (
        (_TO_SET_ASIDE, _WHAT_WAS_SAID),
        r"(?<![\"'`])\b(?:override|bypass|discard)\s+(?:(?:of|any|all|every|the|these|those)\s+)*(?:your\s+rules\b"
        r"|(?:your|previous|prior|earlier|preceding)\s+(?:system\s+)?(?:instructions?|prompts?|directions|guidelines)\b)",
    ),
    ((_TO_SET_ASIDE, _WHAT_WAS_SAID), _SET_ASIDE),
    ((_REVIEWS,), rf"{_HAILED}(?:for (?:the |any |all )?)?{_REVIEWER}{_TO_THEM}"),
    ((_MACHINES,), rf"{_HAILED}{_MACHINE}\s*[:,]\s+(?:please\s+)?{_ON_THE_CODE}"),
    ((_MACHINES,), rf"{_HAILED}{_MACHINE}\s*,\s+(?:please\s+)?(?:{_SILENCE}|stop)\b"),
    (
        ((*_REVIEWS, *_MACHINES), ("note", "attention", "notice")),
        rf"\b(?:notes?|attention|notice)\s+(?:to|for)\s+(?:the |any |all |every |an? )?(?:{_REVIEWER}{_TO_THEM}"
        rf"|(?:{_MACHINE})s?\s*[:,].{{0,60}}?\b{_ON_THE_CODE})",
    ),
    (
        (("you",), ("now", "act")),
        r"(?<![\"'`])\byou (?:are now|must act|act now)\s+(?:as\s+)?(?:an?|the)\s.{0,24}\b"
        r"(?:ai|assistant|model|reviewer|linter|auditor|bot|agent)\b",
    ),
    ((_NOT_TO, _TO_REPORT), _NOT_OF_US + _LEAVE_OUT),
    (
        (_NOT_TO, _TO_REPORT),
        _LEAVE_IT_OUT + r"(?!\s+(?:as|for|if|when|unless|until|with|again|twice|yet|further|separately)\b)",
    ),
    (
        (_FOUND, ("no", "zero", "empty", "without")),
        r"(?:^|[.,;:!]\s|\b(?:please|must|should|always|only|just|and|then|to)\s)\s*" + _EMPTY_ANSWER,
    ),
    (
        (("finding",),),
        r"\b(?:report|emit|raise|invent)\s+(?:an?|one|some)\s.{0,16}\bfindings?\s+"
        r"(?:on line|in (?:every|each|this)|of every)\b",
    ),
    (
        (("confidence", "severity"),),
        _JUDGE_AS + r".{0,24}\b(?:all|everything|every|each|this (?:file|code|module|project|repo\w*))\b",
    ),
    ((_REVIEWS,), rf"\b(?:{_REVIEWER}|{_HAILED}reviewers)\b[^.\n]{{0,60}}?\b{_SILENCE}\b"),
    ((_REVIEWS,), rf"\b{_SILENCE}\b[^.\n]{{0,40}}?\b(?:for|by|to|from) (?:the |any |all |an? )?{_REVIEWER}\b"),
    ((_NOT_TO, _TO_REPORT), _NOT_OF_US + _NO_FINDING.replace("|issues?|bugs?|", "|").replace("|defects?", "")),
    ((("anweisung", "instruc", "instruç", "istruz"),), _OTHER_LANGUAGES[0]),
    ((("melde", "ber", "signale", "repor", "inform", "relate", "segnala"),), _OTHER_LANGUAGES[1]),
    *((((),), pattern) for pattern in _OTHER_LANGUAGES[2:]),
    (
        (("regions", "findings", "verdicts", "outside_context"),),
        r"\b(?:answer|respond|reply|return|output)\b.{0,12}\{\s*[\"'](?:regions|findings|verdicts)[\"']"
        r"|[\"']regions[\"']\s*:\s*\[\s*\{\s*[\"']region[\"']|[\"']verdicts[\"']\s*:\s*\[\s*\{\s*[\"']finding[\"']"
        r"|\bneeds_outside_context\b",
    ),
    (
        (("system", "developer", "assistant"), ("override", "prompt", "message")),
        r"^\W*(?:system|developer|assistant)\s*(?:override\s*:|(?:prompt|message)\s*:.{0,40}"
        r"\b(?:reviews?|findings?|approve|accept|ignore|report)\b)",
    ),
    (
        (("your",), ("prompt", "instructions", "rules")),
        r"\b(?:reveal|print|show|repeat|leak|output|send)\b.{0,12}\byour (?:system )?(?:prompt|instructions|rules)\b",
    ),
    (
        (("tool",), ("shell", "bash", "terminal")),
        r"\b(?:call|use|invoke|run)\s+(?:the|your)\s+(?:shell|bash|terminal)\b.{0,12}\btools?\b.{0,24}\b(?:to|and|now)\b",
    ),
)
# What people write to each other as well ("Reviewer: Jane", "approved by ..."): kept from the model, never reported.
_CLAIMED_SAFE = (
    rf"{_HAILED}(?:code |security )*{_ROLES}{_TO_THEM}",
    r"\b(?:this|these|the (?:following|above|below|next)|all|everything)\b.{0,30}\b"
    r"(?:(?:has|have) (?:already )?been|was|were|is|are)\s+(?:already |fully |formally |independently |known to be )*"
    r"(?:audited|(?:security[- ])?reviewed|approved|vetted|pre-?approved|certified|cleared|exempt|proven|verified|safe"
    r"|secure|correct|bug[- ]free|intentional(?:ly)? (?:vulnerable|insecure))\b",
    r"\b(?:known|confirmed|marked as|treat(?:ed)? as|consider(?:ed)?)\s+(?:an?\s+)?"
    r"(?:false positives?|safe|intended)\b",
    r"\b(?:approved|audited|certified|verified|reviewed|signed off) by\b.{0,40}\b(?:security|team|audit|reviewer)",
)
# In what a project tells the reviewer, which speaks to it by its nature.
_SILENCING = (
    r"\b(?:ignore|disregard|forget|override|bypass|discard|set aside)\b.{0,30}\b"
    r"(?:instructions?|prompts?|directions|guidelines|system messages?|rules|findings?|issues?|warnings?)\b",
    r"\b(?:do not|don'?t|never|must not|should not|no need to|stop|avoid|refrain from)\s+(?:ever\s+)?"
    r"(?:report|flag|mention|review|analy[sz]e|audit|comment|complain|warn|raise|say)",
    r"\b(?:report|return|output|answer|respond|reply|emit|give|produce|state|say|there are|with)\b.{0,16}"
    r"\b(?:nothing|no (?:findings?|issues?|defects?|bugs|problems)|zero|an empty)\b",
    r"\b(?:skip|overlook|exempt|stay silent|be silent|false positives?)\b",
    r"\b(?:set|use|lower|keep|make|give)\b.{0,24}\b(?:confidence|severity)\b",
    r"\byou are\b.{0,30}\b(?:ai|assistant|model|reviewer|linter|auditor|bot|agent)\b",
)
# What people also write about what their own code does ("ignore instructions to the generators", "we do not report it
# twice"): kept from the model, never reported.
_OF_THE_CODE = (
    r"\b(?:ignore|disregard|forget|override|bypass|discard)\b.{0,30}\b"
    r"(?:instructions?|prompts?|directions|guidelines|system messages?|rules (?:above|before|you))\b",
    r"\b(?:do not|don'?t|never|must not|no need to|stop)\s+"
    rf"(?:report|flag|mention|review|analy[sz]e|audit|comment on)(?:ing)?\b.{{0,24}}\b{_THINGS}\b",
)

# Without one of these no comment matches.
_HINTS = """\
ai:~ai,~ai ~ai-~a.i.~llm~gpt~claude~gemini~copilot~codex~language model~language-model~reviewer~review bot~review-bot
review tool~code review~automated~automatic~machine~virtual~auditor~assistant~agent~scanner~bot:~bot,~linters and
instruction~prompt~direction~guideline~system message~system:~developer:~override:~rules~do not~don't~dont~never
must not~no need~stop~report~raise~emit~invent~without~no issue~no finding~no bug~no defect~no problem~zero~empty list
confidence~severity~regions"~regions'~"findings~'findings~verdicts~refuted~fix_correct~outside_context~<|~<system~</system
im_start~im_end~endoftext~eot_id~header_id~[inst~[/inst~<<sys~api key~secrets~tool~approved~vetted~certified~cleared
exempt~proven~verified~audited~reviewed~safe~secure~correct~bug-free~bug free~intentional~false positive~intended
signed off~anweisung~melde~berichte~instrucc~instruç~instruc~istruz~signale~informe~relate~segnala""".replace(
    "\n", "~"
).split("~")


class Row(NamedTuple):
    """A pattern as text, and groups of words of which each match holds one of every group."""

    hints: tuple[tuple[str, ...], ...]
    expression: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when something asks for it: that takes longer than the rest of a start, and most code never does."""
        return _compiled(self.expression)

    def may_match(self, text: str) -> bool:
        """Whether the words are there. Of other scripts than Latin nothing is known."""
        if not text.isascii() and _OTHER_SCRIPT.search(text) is not None:
            return True
        return all(any(word in text for word in words) for words in self.hints)


_compiled = cache(re.compile)
_OTHER_SCRIPT = re.compile("[\u0370-\U0010ffff]")

ANY = (Row((tuple(_HINTS),), "|".join((*_ADDRESSED, *(one for _, one in _REPORTED), *_CLAIMED_SAFE, *_OF_THE_CODE))),)
"""What is kept from the model."""

REPORTED = tuple(Row(hints, expression) for hints, expression in _REPORTED)
"""What is reported as well."""

SILENCING = Row((), "|".join((*_SILENCING, *_CLAIMED_SAFE[1:])))
"""What a project may not tell the reviewer."""
