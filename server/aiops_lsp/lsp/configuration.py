"""The settings that hold for each document: gathered from the client and from disk, resolved off the event loop.

`settings`, which brings pydantic, is imported by the first `load`, long after `initialize` was answered.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types

from aiops_lsp.engine.host import Folder
from aiops_lsp.engine.uris import path_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aiops_lsp.engine.baseline import Baseline
    from aiops_lsp.lsp.session import Session
    from aiops_lsp.settings import Settings

SECTION = "aiops"
WATCHED = ("**/aiops.toml", "**/pyproject.toml", "**/.aiopsignore", "**/.gitignore", "**/aiops-baseline.json")

_ANSWER_SECONDS = 5.0
"""A client that says it can be asked for its configuration and never answers must not keep reviews from starting."""


class EditorOptions(NamedTuple):
    """What the client says: for everything, and for each workspace folder by its URI. Not checked yet."""

    common: object = None
    by_folder: Mapping[str, object] = MappingProxyType({})


class Loaded(NamedTuple):
    """The resolved settings: the user's as a whole, and the folders, deepest root first, with their baselines."""

    settings: Settings
    folders: tuple[Folder, ...]
    baselines: Mapping[Path, Baseline]
    problems: tuple[str, ...]


class Configuration:
    """Which folder a document belongs to. `folder_of` answers at once from what was loaded last."""

    def __init__(self) -> None:
        self.trusted = True
        self.roots: dict[str, Path] = {}
        self.initial: object = None
        self.pushed: object = None
        self._loaded: Loaded | None = None
        self._known: dict[str, Folder] = {}
        self._on_command: set[str] = set()

    @property
    def settings(self) -> Settings:
        """The user's settings as a whole."""
        assert self._loaded is not None, "used before the first load"
        return self._loaded.settings

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The workspace folders, deepest first."""
        return self._loaded.folders if self._loaded is not None else ()

    def initialize(self, params: Mapping[str, object]) -> None:
        """Take over what the `initialize` request says: folders, trust, options. Anything unexpected is left out."""
        options = params.get("initializationOptions")
        if isinstance(options, Mapping):
            self.trusted = options.get("trusted") is not False
            options = {name: value for name, value in options.items() if name != "trusted"}
        self.initial = options
        for uri in _initial_folders(params):
            self.add_root(uri)

    def add_root(self, uri: str) -> None:
        """A workspace folder was opened."""
        path = path_of(uri)
        if path is not None:
            self.roots[uri] = path

    def remove_root(self, uri: str) -> None:
        """A workspace folder was closed."""
        self.roots.pop(uri, None)

    def load(self, editor: EditorOptions) -> Loaded:
        """Read the files and resolve everything. Blocks: run it on a thread. Never fails for what it reads."""
        from aiops_lsp.engine.baseline import read_baseline  # noqa: PLC0415 - brings what reads files
        from aiops_lsp.settings import read_repository_file, read_user_file, resolve  # noqa: PLC0415 - brings pydantic

        user = read_user_file()
        common = _merged(self.initial, editor.common)
        settings, problems = resolve(user.values, os.environ, common, None)
        told = [str(problem) for problem in (*user.problems, *problems)]
        folders, baselines = [], {}
        for uri, root in list(self.roots.items()):
            repository = read_repository_file(root)
            own = _merged(common, editor.by_folder.get(uri))
            resolved, found = resolve(user.values, os.environ, own, repository.values)
            baselines[root] = baseline = read_baseline(root)
            folders.append(Folder(root, resolved, self.trusted))
            told += [str(problem) for problem in (*repository.problems, *found)]
            told += [baseline.problem] if baseline.problem else []
        folders.sort(key=lambda folder: len(folder.root.parts) if folder.root else 0, reverse=True)
        return Loaded(settings, tuple(folders), baselines, tuple(dict.fromkeys(told)))

    def adopt(self, loaded: Loaded) -> None:
        """Let `loaded` hold from now on."""
        self._loaded = loaded
        self._known.clear()

    def folder_of(self, uri: str) -> Folder:
        """The folder of a document, the innermost that holds it. Cheap."""
        folder = self._known.get(uri)
        if folder is None:
            folder = self._find(uri)
            if uri in self._on_command:
                review = folder.settings.review.model_copy(update={"trigger": "manual"})
                folder = folder._replace(settings=folder.settings.model_copy(update={"review": review}))
            self._known[uri] = folder
        return folder

    def only_on_command(self, uri: str) -> None:
        """Whatever the settings say, this file is reviewed on command only, until it is forgotten."""
        self._on_command.add(uri)
        self._known.pop(uri, None)

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self._on_command.discard(uri)
        self._known.pop(uri, None)

    def _find(self, uri: str) -> Folder:
        assert self._loaded is not None, "used before the first load"
        path = path_of(uri)
        for folder in self._loaded.folders:
            if path is not None and folder.root is not None and path.is_relative_to(folder.root):
                relative = path.relative_to(folder.root).as_posix()
                return folder._replace(baseline=self._loaded.baselines[folder.root].ids_in(relative))
        return Folder(None, self._loaded.settings, self.trusted)


def did_change_configuration(session: Session, params: types.DidChangeConfigurationParams) -> None:
    """The client's settings changed. They are in the notification, or are to be asked for."""
    if not session.client.configuration:
        session.configuration.pushed = params.settings
    session.reload_settings()


def did_change_workspace_folders(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Folders were opened or closed."""
    for folder in params.event.removed:
        session.configuration.remove_root(folder.uri)
    for folder in params.event.added:
        session.configuration.add_root(folder.uri)
    session.reload_settings()


def did_change_watched_files(session: Session, _params: types.DidChangeWatchedFilesParams) -> None:
    """A configuration, ignore or baseline file changed on disk."""
    session.reload_settings()


async def pull(session: Session) -> EditorOptions:
    """Ask the client for its settings, as a whole and per folder; what it pushed where it cannot be asked."""
    if not session.client.configuration:
        return EditorOptions(_section(session.configuration.pushed))
    roots = list(session.configuration.roots)
    items = [types.ConfigurationItem(section=SECTION)]
    items += [types.ConfigurationItem(scope_uri=uri, section=SECTION) for uri in roots]
    answer = await session.ask(
        types.WORKSPACE_CONFIGURATION, types.ConfigurationParams(items=items), timeout_seconds=_ANSWER_SECONDS
    )
    values = list(answer) if isinstance(answer, list | tuple) else []
    values += [None] * (len(items) - len(values))
    return EditorOptions(values[0], dict(zip(roots, values[1:], strict=False)))


async def register(session: Session) -> None:
    """Ask the client to tell when its settings or one of the watched files change, where it can be asked to."""
    registrations = []
    if session.client.dynamic_watched_files:
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in WATCHED]
        options: object = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        registrations.append(_registration(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    if session.client.dynamic_configuration:
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registrations.append(_registration(types.WORKSPACE_DID_CHANGE_CONFIGURATION, options))
    if registrations:
        await session.ask(types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(registrations=registrations))


def _registration(method: str, options: object) -> types.Registration:
    return types.Registration(id=f"aiops-{method}", method=method, register_options=options)


def _initial_folders(params: Mapping[str, object]) -> list[str]:
    folders = params.get("workspaceFolders")
    if isinstance(folders, list):
        uris = [folder.get("uri") for folder in folders if isinstance(folder, Mapping)]
        return [uri for uri in uris if isinstance(uri, str)]
    uri, path = params.get("rootUri"), params.get("rootPath")
    if isinstance(uri, str):
        return [uri]
    return [_uri_of(path)] if isinstance(path, str) and os.path.isabs(path) else []  # noqa: PTH117 - it is a string


def _uri_of(path: str) -> str:
    from pathlib import Path  # noqa: PLC0415

    return Path(path).as_uri()


def _section(pushed: object) -> object:
    """The part of pushed settings that is ours; clients push the section, or everything they have."""
    if isinstance(pushed, Mapping) and SECTION in pushed:
        return pushed[SECTION]
    return pushed


def _merged(earlier: object, later: object) -> object:
    """Two trees of options, the later one winning option by option."""
    if later is None:
        return earlier
    if not isinstance(earlier, Mapping) or not isinstance(later, Mapping):
        return later
    return {**earlier, **{name: _merged(earlier.get(name), value) for name, value in later.items()}}


def in_words(problems: Sequence[str]) -> str:
    """Problems with options and files as one message."""
    if len(problems) == 1:
        return f"aiops: not everything in the configuration applies. {problems[0]}"
    lines = "\n".join(f"• {problem}" for problem in problems)
    return f"aiops: not everything in the configuration applies.\n{lines}"
