"""What is read out of a client's announcement, and what is offered for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lsp.core.text import PositionEncoding
from aiops_lsp.lsp.capabilities import COMMANDS, ClientFeatures, server_capabilities
from tests.support.client import MODERN


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["utf-8", "utf-16"], PositionEncoding.UTF8),
        (["utf-16", "utf-8"], PositionEncoding.UTF16),
        (["utf-32", "utf-8", "utf-16"], PositionEncoding.UTF32),
        (["wtf-8", "utf-32"], PositionEncoding.UTF32),
        ([None, 3, "utf-8"], PositionEncoding.UTF8),
        (["wtf-8"], PositionEncoding.UTF16),
        ([], PositionEncoding.UTF16),
        ("utf-8", PositionEncoding.UTF16),
        (None, PositionEncoding.UTF16),
    ],
)
def test_the_clients_first_supported_encoding_counts(listed: object, expected: PositionEncoding) -> None:
    client = ClientFeatures.announced({"general": {"positionEncodings": listed}})
    assert client.encoding is expected
    offered = server_capabilities(client).position_encoding
    assert offered is not None
    assert str(getattr(offered, "value", offered)) == expected.value


@pytest.mark.parametrize("capabilities", [{}, None, [], {"textDocument": None, "workspace": 3, "window": "x"}])
def test_what_is_not_announced_is_not_there(capabilities: object) -> None:
    assert ClientFeatures.announced(capabilities) == ClientFeatures()


def test_a_client_of_today() -> None:
    client = ClientFeatures.announced(MODERN)
    without_dynamic = {name for name in ClientFeatures._fields if not getattr(client, name)}
    assert without_dynamic == set()
    assert client.diagnostic_tags == {1, 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(announced=JSON, inner=JSON, name=st.sampled_from(["general", "textDocument", "workspace", "window"]))
def test_nothing_that_is_announced_can_fail(announced: object, inner: object, name: str) -> None:
    for capabilities in (announced, {name: inner}, {name: {"codeAction": inner, "hover": inner}}):
        assert server_capabilities(ClientFeatures.announced(capabilities)).hover_provider is True


@pytest.mark.parametrize(
    ("action", "resolves"),
    [
        ({"codeActionLiteralSupport": {}, "dataSupport": True, "resolveSupport": {"properties": ["edit"]}}, True),
        ({"codeActionLiteralSupport": {}, "resolveSupport": {"properties": ["edit"]}}, False),
        ({"codeActionLiteralSupport": {}, "dataSupport": True, "resolveSupport": {"properties": ["command"]}}, False),
    ],
)
def test_edits_are_resolved_where_the_client_can(action: object, resolves: bool) -> None:
    client = ClientFeatures.announced({"textDocument": {"codeAction": action}})
    provider = server_capabilities(client).code_action_provider
    assert getattr(provider, "resolve_provider", None) is resolves


def test_the_commands_are_offered() -> None:
    provider = server_capabilities(ClientFeatures()).execute_command_provider
    assert provider is not None
    assert list(provider.commands) == list(COMMANDS)
    assert server_capabilities(ClientFeatures()).code_action_provider is True
