/** Running other programs, and finding them where nobody else can have put them. */

import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import * as path from "node:path";

const EXECUTABLE = process.platform === "win32" ? ".exe" : "";
const SCRIPTS = process.platform === "win32" ? "Scripts" : "bin";

export interface Outcome {
  ok: boolean;
  output: string;
}

/** Run a program to its end in `folder`; `output` is what it printed, or why it could not be run. */
export function run(program: string, args: string[], folder: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: timeoutMs, windowsHide: true, maxBuffer: 16 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      resolve({ ok: error === null, output: error !== null && output === "" ? error.message : output });
    });
  });
}

/** The program `name` of a Python environment whose interpreter or folder of programs is known. */
export function besides(interpreter: string, name: string): string {
  return path.join(path.dirname(interpreter), name + EXECUTABLE);
}

/** The program `name` of the virtual environment in `folder`. */
export function inEnvironment(folder: string, name: string): string {
  return path.join(folder, SCRIPTS, name + EXECUTABLE);
}

/** All programs `name` on PATH. Relative entries are left out: they mean whatever folder is open. */
export async function onPath(name: string): Promise<string[]> {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const programs = [...new Set(folders)].map((folder) => path.join(folder, name + EXECUTABLE));
  const found = await Promise.all(programs.map(isProgram));
  return programs.filter((_, index) => found[index]);
}

export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

export function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
}
