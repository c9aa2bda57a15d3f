/**
 * Where the server is: the setting, the workspace's Python environment, PATH, or a private environment, in this order.
 *
 * In a workspace that is not trusted nothing of the workspace is run, wherever it is named.
 */

import { realpath } from "node:fs/promises";
import * as vscode from "vscode";

import { besides, inEnvironment, isInside, isProgram, onPath, run } from "./programs";
import { pythonApi } from "./python";

export const PROGRAM = "aiops-lsp";

const ANSWER_MS = 30_000;

export interface Found {
  program: string;
  /** Where it was found, in words. */
  from: string;
  version: string;
}

/** What was tried and why it was not taken, in words. */
export interface NotFound {
  tried: string[];
}

interface Candidate {
  program: string;
  from: string;
  /** The user named it, so that it missing is worth a word and nothing else is tried. */
  named?: boolean;
}

/** The first program that works. `privateFolder` is where the private environment is or would be. */
export async function findServer(privateFolder: string, log: vscode.LogOutputChannel): Promise<Found | NotFound> {
  const tried: string[] = [];
  for await (const candidate of candidates(privateFolder, log)) {
    const problem = await refusal(candidate);
    if (problem === undefined) {
      const outcome = await run(candidate.program, ["--version"], privateFolder, ANSWER_MS);
      const version = /^aiops-lsp (\S+)/m.exec(outcome.output)?.[1];
      if (outcome.ok && version !== undefined) {
        log.info(`aiops-lsp ${version}, ${candidate.from}: ${candidate.program}`);
        return { program: candidate.program, from: candidate.from, version };
      }
      tried.push(`${candidate.program} (${candidate.from}) does not work: ${outcome.output.slice(0, 500)}`);
    } else if (problem !== "") {
      tried.push(`${candidate.program} (${candidate.from}) ${problem}`);
    }
    if (candidate.named === true) {
      break;
    }
  }
  for (const words of tried) {
    log.warn(words);
  }
  return { tried };
}

async function* candidates(privateFolder: string, log: vscode.LogOutputChannel): AsyncGenerator<Candidate> {
  const named = vscode.workspace.getConfiguration("aiops").get<string>("server.path", "").trim();
  if (named !== "") {
    yield { program: named, from: "named in the settings", named: true };
    return;
  }
  if (vscode.workspace.isTrusted) {
    yield* ofWorkspace(log);
  }
  for (const program of await onPath(PROGRAM)) {
    yield { program, from: "on PATH" };
  }
  yield { program: inEnvironment(privateFolder, PROGRAM), from: "in the extension's own environment" };
}

async function* ofWorkspace(log: vscode.LogOutputChannel): AsyncGenerator<Candidate> {
  const from = "in the workspace's Python environment";
  const python = await pythonApi(log);
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const interpreter = await python?.interpreter(folder.uri);
    if (interpreter !== undefined) {
      yield { program: besides(interpreter, PROGRAM), from };
    } else if (python === undefined && folder.uri.scheme === "file") {
      for (const name of [".venv", "venv"]) {
        yield { program: inEnvironment(vscode.Uri.joinPath(folder.uri, name).fsPath, PROGRAM), from };
      }
    }
  }
}

/** Why a candidate must not or cannot be run: empty when it merely is not there, undefined when it can be. */
async function refusal(candidate: Candidate): Promise<string | undefined> {
  if (!(await isProgram(candidate.program))) {
    return candidate.named === true ? "is not a program that can be run" : "";
  }
  if (!vscode.workspace.isTrusted) {
    const real = await realpath(candidate.program);
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    if (folders.some((folder) => isInside(candidate.program, folder) || isInside(real, folder))) {
      return "is part of this workspace, which is not trusted, so it is not run";
    }
  }
  return undefined;
}
