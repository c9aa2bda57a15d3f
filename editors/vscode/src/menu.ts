/** The menu behind the status item. */

import * as vscode from "vscode";

import type { Server } from "./server";
import type { StatusView } from "./status";

interface Entry extends vscode.QuickPickItem {
  command?: string;
}

export async function showMenu(server: Server, status: StatusView): Promise<void> {
  const title = ["aiops", status.state, status.spend].filter((text) => text !== "").join(" · ");
  const entries = server.client === undefined ? withoutServer() : withServer(server);
  const placeHolder = status.reason === "" ? "Select an action" : status.reason;
  const chosen = await vscode.window.showQuickPick(entries, { title, placeHolder, matchOnDescription: true });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

function withServer(server: Server): Entry[] {
  const pause: Entry = server.isPaused
    ? { label: "$(debug-start) Resume Model Reviews", command: "aiops.resume" }
    : { label: "$(debug-pause) Pause Model Reviews", description: "the rules go on", command: "aiops.pause" };
  return [
    separator("Review"),
    { label: "$(file-code) Review This File", command: "aiops.review.file" },
    { label: "$(git-compare) Review Changes", description: "in all open files", command: "aiops.review.changes" },
    { label: "$(folder) Review Workspace", command: "aiops.review.workspace" },
    pause,
    separator("aiops"),
    { label: "$(graph) Show Usage", command: "aiops.usage.open" },
    { label: "$(key) Set API Key...", command: "aiops.key.set" },
    { label: "$(output) Show Log", command: "aiops.log.open" },
    { label: "$(gear) Open Settings", command: "aiops.settings.open" },
  ];
}

function withoutServer(): Entry[] {
  return [
    { label: "$(cloud-download) Install Server", command: "aiops.server.install" },
    { label: "$(refresh) Restart Server", command: "aiops.server.restart" },
    { label: "$(output) Show Log", command: "aiops.log.open" },
    { label: "$(gear) Open Settings", command: "aiops.settings.open" },
  ];
}

function separator(label: string): Entry {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
