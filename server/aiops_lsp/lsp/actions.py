"""Code actions: fixes, fix all, ignore, dismiss, review deeper.

They are chosen by the range that is asked about, never by the diagnostics that the client sends along, and every edit
is checked against the text as it is now: when the action is offered, and again when it is resolved or carried out.
"""

from __future__ import annotations

from bisect import bisect, insort
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types

from aiops_lsp.core.findings import Origin
from aiops_lsp.lsp import convert
from aiops_lsp.lsp.capabilities import FIX_ALL, REVIEW_DEEPER
from aiops_lsp.lsp.ignoring import ignore_comment, ignoring_edit
from aiops_lsp.lsp.protocol import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from aiops_lsp.core.findings import Edit, Finding
    from aiops_lsp.core.text import Range, TextDocument
    from aiops_lsp.lsp.capabilities import ClientFeatures
    from aiops_lsp.lsp.session import Session

_MOST_FINDINGS = 50
"""Nobody reads more actions than those on so many findings make."""

FIX, FIX_KIND, FIX_ALL_VERIFIED, IGNORE = "fix", "fixKind", "fixAll", "ignore"


class Proposal(NamedTuple):
    """Edits that an action would make. `what` is one of the constants above, `name` the finding or rule meant."""

    what: str
    name: str
    title: str
    kind: str
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]
    preferred: bool = False

    @property
    def by_model(self) -> bool:
        """Whether a language model wrote any of it."""
        return any(finding.origin is Origin.MODEL for finding in self.findings)


def code_action(
    session: Session, params: types.CodeActionParams
) -> Sequence[types.CodeAction | types.Command] | Awaitable[Sequence[types.CodeAction]]:
    """`textDocument/codeAction`."""
    document = session.documents.get(params.text_document.uri)
    if document is None or session.reviewer is None:
        return []
    findings = session.findings(document.uri)
    span = convert.range_from_client(document, params.range)
    here = [finding for finding in findings if _on_lines_of(finding.range, span)]
    here.sort(key=lambda finding: not _touches(finding.range, span))
    only = params.context.only
    invoked = params.context.trigger_kind is not types.CodeActionTriggerKind.Automatic
    actions: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        for finding in here[:_MOST_FINDINGS]:
            actions += _for_finding(session.client, document, finding)
        if here:  # once, however many findings are on the line
            actions.append(_deeper(document, here[0].range, types.CodeActionKind.QuickFix))
        actions += _for_kinds(session.client, document, here, findings)
    if (proposal := _fix_all(document, findings)) and _wanted(FIX_ALL, only):
        actions.append(_editing(session.client, document, proposal))
    # A client that asks for no kind shows all in one list, in which there is one for the finding already.
    if _wanted(REVIEW_DEEPER, only) and invoked and (only or (span.start != span.end and not here)):
        actions.append(_deeper(document, span, REVIEW_DEEPER))
    if session.client.resolves_edits:
        return actions
    if session.client.code_action_literals:
        return _complete(session, document, document.version, actions)
    return [command for action in actions if (command := _as_command(session.client, action)) is not None]


async def _complete(
    session: Session, document: TextDocument, version: int, actions: Sequence[types.CodeAction]
) -> Sequence[types.CodeAction]:
    """The actions with all their edits, for a client that does not come back for them."""
    complete = []
    for action in actions:
        if (coming := _ignore_edit(session, document, action)) is not None:
            try:
                action.edit = await coming
            except RequestRefused:
                continue
        if action.edit is not None or action.command is not None:
            action.data = None
            complete.append(action)
    if document.version != version or session.documents.get(document.uri) is not document:
        raise RequestRefused(types.LSPErrorCodes.ContentModified, "the text has changed meanwhile; ask again")
    return complete


def resolve(session: Session, action: types.CodeAction) -> types.CodeAction | Awaitable[types.CodeAction]:
    """`codeAction/resolve`: the edit of an action that was offered, against the text as it is now."""
    if not isinstance(action.data, dict) or "what" not in action.data:
        return action
    if action.data["what"] == IGNORE:
        document = _open_document(session, action.data)
        coming = _ignore_edit(session, document, action)
        if coming is None:
            raise _moved_on()
        return _resolved(action, coming)
    action.edit = current_edit(session, action.data)
    return action


async def _resolved(action: types.CodeAction, coming: Awaitable[types.WorkspaceEdit]) -> types.CodeAction:
    action.edit = await coming
    return action


def current_edit(session: Session, data: Mapping[str, object]) -> types.WorkspaceEdit:
    """The edit that `data` of an action stands for. Raises RequestRefused when the text has moved on."""
    what, name = data.get("what"), data.get("name")
    document = _open_document(session, data)
    findings = session.findings(document.uri)
    proposal: Proposal | None = None
    if what == FIX_ALL_VERIFIED:
        proposal = _fix_all(document, findings)
    elif what == FIX_KIND:
        proposal = _fix_kind(document, findings, str(name))
    else:
        finding = session.finding(document.uri, str(name))
        proposal = _fix(document, finding) if finding is not None else None
    if proposal is None:
        raise _moved_on()
    return _edit(session.client, document, proposal)


def _open_document(session: Session, data: Mapping[str, object]) -> TextDocument:
    uri = data.get("uri")
    document = session.documents.get(uri) if isinstance(uri, str) else None
    if document is None:
        raise RequestRefused(types.LSPErrorCodes.ContentModified, "the document is not open any more")
    return document


def _moved_on() -> RequestRefused:
    words = "the text has changed since this was offered; ask again"
    return RequestRefused(types.LSPErrorCodes.ContentModified, words)


def _ignore_edit(
    session: Session, document: TextDocument, action: types.CodeAction
) -> Awaitable[types.WorkspaceEdit] | None:
    """The edit to come of an action that ignores a finding; None for any other, or when the finding has gone."""
    if not isinstance(action.data, dict) or action.data["what"] != IGNORE:
        return None
    finding = session.finding(document.uri, str(action.data.get("name")))
    return ignoring_edit(session, document, finding) if finding is not None else None


def _for_finding(client: ClientFeatures, document: TextDocument, finding: Finding) -> list[types.CodeAction]:
    diagnostics = [convert.diagnostic(document, finding, client)]
    actions = []
    if (proposal := _fix(document, finding)) is not None:
        actions.append(_editing(client, document, proposal))
    if ignore_comment(document.language, finding) is not None:
        actions.append(
            types.CodeAction(
                title=f"Ignore with a comment: {finding.title}",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=diagnostics,
                data=_meant(document, IGNORE, finding.id),
            )
        )
    dismiss = types.Command(
        title="Dismiss", command="aiops.dismiss", arguments=[{"uri": document.uri, "id": finding.id}]
    )
    actions.append(
        types.CodeAction(
            title=f"Dismiss for good: {finding.title}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=diagnostics,
            command=dismiss,
        )
    )
    return actions


def _for_kinds(
    client: ClientFeatures, document: TextDocument, here: Sequence[Finding], findings: Sequence[Finding]
) -> list[types.CodeAction]:
    """For each rule with a verified fix here: all its verified fixes in the file."""
    codes = dict.fromkeys(finding.code for finding in here if finding.fix is not None and finding.fix.verified)
    proposals = [_fix_kind(document, findings, code) for code in codes]
    return [_editing(client, document, proposal) for proposal in proposals if proposal is not None]


def _fix(document: TextDocument, finding: Finding) -> Proposal | None:
    fix = finding.fix
    if fix is None or not fix.edits or not all(convert.fits(document, edit) for edit in fix.edits):
        return None
    return Proposal(
        FIX, finding.id, fix.title, types.CodeActionKind.QuickFix.value, fix.edits, (finding,), preferred=fix.verified
    )


def _fix_kind(document: TextDocument, findings: Sequence[Finding], code: str) -> Proposal | None:
    fixed, edits = _together(document, [finding for finding in findings if finding.code == code])
    if len(fixed) < 2:
        return None
    title = f"Fix all {len(fixed)} of {code} in this file"
    return Proposal(FIX_KIND, code, title, types.CodeActionKind.QuickFix.value, edits, fixed)


def _fix_all(document: TextDocument, findings: Sequence[Finding]) -> Proposal | None:
    fixed, edits = _together(document, findings)
    if not fixed:
        return None
    title = f"Apply all verified fixes of aiops in this file ({len(fixed)})"
    return Proposal(FIX_ALL_VERIFIED, "", title, FIX_ALL, edits, fixed)


def _together(document: TextDocument, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Edit, ...]]:
    """The verified fixes that can be applied in one edit, and their edits in document order.

    Of fixes that overlap the first in the document stays; the others are offered again once it is applied.
    """
    fixed: list[Finding] = []
    taken: list[Edit] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not fix.verified or _fix(document, finding) is None:
            continue
        places = [bisect(taken, edit.range, key=_range_of) for edit in fix.edits]
        if not any(_collides(edit, taken[max(0, at - 1) : at + 1]) for edit, at in zip(fix.edits, places, strict=True)):
            fixed.append(finding)
            for edit in fix.edits:
                insort(taken, edit, key=_range_of)
    return tuple(fixed), tuple(taken)


def _range_of(edit: Edit) -> Range:
    return edit.range


def _collides(edit: Edit, neighbours: Sequence[Edit]) -> bool:
    """Whether an edit overlaps one of `neighbours`, or meets it in a way that leaves open which comes first."""
    for other in neighbours:
        first, second = sorted((edit.range, other.range))
        if second.start < first.end:
            return True
        if second.start == first.end and (first.start == first.end or second.start == second.end):
            return True
    return False


def _editing(client: ClientFeatures, document: TextDocument, proposal: Proposal) -> types.CodeAction:
    tagged = proposal.by_model and client.code_action_llm_tag
    shown = proposal.findings if proposal.what == FIX else ()
    return types.CodeAction(
        title=proposal.title,
        kind=proposal.kind,
        diagnostics=[convert.diagnostic(document, finding, client) for finding in shown] or None,
        is_preferred=True if proposal.preferred and client.code_action_preferred else None,
        edit=None if client.resolves_edits else _edit(client, document, proposal),
        data=_meant(document, proposal.what, proposal.name),
        tags=[types.CodeActionTag.LlmGenerated] if tagged else None,
    )


def _edit(client: ClientFeatures, document: TextDocument, proposal: Proposal) -> types.WorkspaceEdit:
    return convert.workspace_edit(document, proposal.edits, proposal.title, client, by_model=proposal.by_model)


def _deeper(document: TextDocument, span: Range, kind: str) -> types.CodeAction:
    lines = {"uri": document.uri, "startLine": span.start.line, "endLine": span.end.line}
    command = types.Command(title="Review deeper", command="aiops.reviewDeeper", arguments=[lines])
    return types.CodeAction(title="Review this code with a stronger model", kind=kind, command=command)


def _meant(document: TextDocument, what: str, name: str) -> dict[str, object]:
    return {"uri": document.uri, "what": what, "name": name}


def _as_command(client: ClientFeatures, action: types.CodeAction) -> types.Command | None:
    """For clients that know only commands: the server applies the edit, where the client lets it."""
    if action.command is not None:
        return types.Command(action.title, action.command.command, arguments=action.command.arguments)
    if not client.apply_edit or not isinstance(action.data, dict):
        return None
    if action.data["what"] == IGNORE:
        arguments: list[object] = [{"uri": action.data["uri"], "id": action.data["name"]}]
        return types.Command(action.title, "aiops.ignore", arguments=arguments)
    return types.Command(action.title, "aiops.applyFix", arguments=[action.data])


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Kinds form a hierarchy: `source` asks for `source.fixAll.aiops` too."""
    kind = kind.value if isinstance(kind, types.CodeActionKind) else kind
    if only is None:
        return True
    asked = [item.value if isinstance(item, types.CodeActionKind) else item for item in only]
    return any(item in ("", kind) or kind.startswith(f"{item}.") for item in asked)


def _touches(one: Range, other: Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _on_lines_of(one: Range, other: Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= one.end.line
