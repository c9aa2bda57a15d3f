/** A private Python environment with the server in it, for users who have none. */

import { mkdir, rm } from "node:fs/promises";
import * as vscode from "vscode";

import { PROGRAM } from "./discovery";
import { inEnvironment, onPath, run } from "./programs";

const MINUTES_MS = 60_000;
const OLDEST = "(3, 11)";

/** Create the environment in `folder`. Returns whether the server is in it; what went wrong was shown and logged. */
export async function createEnvironment(
  folder: string,
  version: string,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  const title = "Installing aiops-lsp";
  const options = { location: vscode.ProgressLocation.Notification, title };
  const problem = await vscode.window.withProgress(options, () => install(folder, version, log));
  if (problem === undefined) {
    return true;
  }
  log.error(problem);
  const chosen = await vscode.window.showErrorMessage(`aiops: ${problem.split("\n", 1).join()}`, "Show Log");
  if (chosen !== undefined) {
    log.show();
  }
  return false;
}

/** Returns what went wrong: a line for the user, and after it whatever the program said. */
async function install(folder: string, version: string, log: vscode.LogOutputChannel): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  const python = await findPython(folder);
  if (python === undefined) {
    return "no Python 3.11 or later was found on PATH, which the server needs.";
  }
  log.info(`creating ${folder} with ${python}`);
  const created = await run(python, ["-m", "venv", "--clear", folder], folder, 2 * MINUTES_MS);
  if (!created.ok) {
    await rm(folder, { recursive: true, force: true });
    return `a Python environment could not be created with ${python}.\n${created.output}`;
  }
  const wanted = `${PROGRAM}==${version.split(".").slice(0, 2).join(".")}.*`;
  const pip = ["-m", "pip", "--disable-pip-version-check", "install", wanted];
  const installed = await run(inEnvironment(folder, "python"), pip, folder, 10 * MINUTES_MS);
  log.info(installed.output);
  return installed.ok ? undefined : `${PROGRAM} could not be installed; is there a network?\n${installed.output}`;
}

async function findPython(folder: string): Promise<string | undefined> {
  for (const name of ["python3", "python", "python3.13", "python3.12", "python3.11"]) {
    for (const program of await onPath(name)) {
      const check = ["-I", "-c", `import sys; sys.exit(sys.version_info < ${OLDEST})`];
      if ((await run(program, check, folder, MINUTES_MS)).ok) {
        return program;
      }
    }
  }
  return undefined;
}
