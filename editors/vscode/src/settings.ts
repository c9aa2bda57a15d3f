/**
 * The settings that the server is told: those that somebody set.
 *
 * The defaults in package.json are for reading only. If they were sent, they would win over the user's own
 * configuration file.
 */

import * as vscode from "vscode";

type Values = Record<string, unknown>;

/** Settings of this extension alone, which the server does not know. */
const OWN = /^aiops\.(server|trace|codeLens)\./;

/** Where a workspace may add to what the user said, or switch off, but not take away or switch on. */
const COMBINED: Record<string, (user: unknown, workspace: unknown) => unknown> = {
  "aiops.review.enabled": (user, workspace) => user !== false && workspace !== false,
  "aiops.review.ignore": (user, workspace) => [...asList(user), ...asList(workspace)],
};

/** The names of the settings that the server knows, as package.json contributes them. */
export function serverSettings(manifest: object): string[] {
  const contributes = (manifest as { contributes: { configuration: { properties: Values }[] } }).contributes;
  const names = contributes.configuration.flatMap((section) => Object.keys(section.properties));
  return names.filter((name) => !OWN.test(name));
}

/** What somebody set of the settings `names`, for `scope`, as the tree that the server reads. */
export function collect(names: readonly string[], scope: vscode.Uri | undefined): Values {
  const configuration = vscode.workspace.getConfiguration(undefined, scope);
  const tree: Values = {};
  for (const name of names) {
    const value = chosen(name, configuration);
    if (value !== undefined) {
      place(tree, name.split(".").slice(1), value);
    }
  }
  return tree;
}

function chosen(name: string, configuration: vscode.WorkspaceConfiguration): unknown {
  const places = configuration.inspect(name);
  const user = places?.globalValue;
  const workspace = places?.workspaceFolderValue ?? places?.workspaceValue;
  if (workspace === undefined) {
    return user;
  }
  return COMBINED[name]?.(user, workspace) ?? workspace;
}

function place(tree: Values, path: string[], value: unknown): void {
  let node = tree;
  for (const part of path.slice(0, -1)) {
    node = (node[part] ??= {}) as Values;
  }
  node[path[path.length - 1] ?? ""] = value;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
