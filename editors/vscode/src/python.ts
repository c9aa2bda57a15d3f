/** The Python extension, as far as it is asked here. It need not be there. */

import * as vscode from "vscode";

interface Environments {
  getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
  resolveEnvironment(environment: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
}

export interface Python {
  /** The interpreter that is chosen for a folder. */
  interpreter(folder: vscode.Uri): Promise<string | undefined>;
  onDidChange: vscode.Event<unknown>;
}

/** The extension's API; undefined where it is not installed, does not work, or is too old to be asked. */
export async function pythonApi(log: vscode.LogOutputChannel): Promise<Python | undefined> {
  const extension = vscode.extensions.getExtension<{ environments?: Environments }>("ms-python.python");
  try {
    const environments = (await extension?.activate())?.environments;
    return environments && asked(environments);
  } catch (error) {
    log.warn(`the Python extension could not be asked: ${String(error)}`);
    return undefined;
  }
}

function asked(environments: Environments): Python {
  return {
    interpreter: async (folder) => {
      const active = environments.getActiveEnvironmentPath(folder);
      return (await environments.resolveEnvironment(active))?.executable.uri?.fsPath;
    },
    onDidChange: environments.onDidChangeActiveEnvironmentPath,
  };
}
