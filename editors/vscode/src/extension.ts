/** Puts the parts together. */

import * as vscode from "vscode";

import type { NotFound } from "./discovery";
import { createEnvironment } from "./environment";
import { openSample, openUserFile } from "./files";
import { Keys } from "./keys";
import { Lenses } from "./lenses";
import { showMenu } from "./menu";
import { pythonApi } from "./python";
import { Reviews } from "./reviews";
import { Server } from "./server";
import { StatusView } from "./status";
import { UsageView } from "./usage";

const INSTALL = "Install Server";
const SETTINGS = "Open Settings";
const LOG = "Show Log";

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("aiops", { log: true });
  const keys = new Keys(context.secrets);
  const server = new Server(context, keys, log, (missing) => void offerInstall(missing, log));
  running = server;
  const status = new StatusView(server);
  const reviews = new Reviews(server, log);
  const usage = new UsageView(server, vscode.Uri.joinPath(context.extensionUri, "media"));
  const lenses = new Lenses(status);
  context.subscriptions.push(log, server, status, usage, lenses);
  context.subscriptions.push(vscode.languages.registerCodeLensProvider({ scheme: "file" }, lenses));

  const install = async (): Promise<void> => {
    const version = (context.extension.packageJSON as { version: string }).version;
    if (await createEnvironment(server.privateFolder, version, log)) {
      await server.restartByUser();
    }
  };
  const commands: Record<string, (...args: unknown[]) => unknown> = {
    "aiops.menu": () => showMenu(server, status),
    "aiops.review.file": () => reviews.file(),
    "aiops.review.changes": () => reviews.changes(),
    "aiops.review.selection": () => reviews.selection(),
    "aiops.review.workspace": () => reviews.workspace(),
    "aiops.pause": () => server.pause(true),
    "aiops.resume": () => server.pause(false),
    "aiops.usage.open": (days) => usage.open(typeof days === "number" ? days : 30),
    "aiops.key.set": () => keys.set(),
    "aiops.key.remove": () => keys.remove(),
    "aiops.cache.clear": () => reviews.clearCache(),
    "aiops.userFile.open": () => openUserFile(),
    "aiops.sample.open": () => openSample(context),
    "aiops.walkthrough.open": () => openWalkthrough(context),
    "aiops.settings.open": () => openSettings(context),
    "aiops.log.open": () => {
      log.show();
    },
    "aiops.server.install": install,
    "aiops.server.restart": () => server.restartByUser(),
  };
  for (const [id, action] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(id, action));
  }

  server.onDidChangeLife((life) => {
    void vscode.commands.executeCommand("setContext", "aiops.running", life === "running");
  });
  const restart = (): void => void server.restart();
  context.subscriptions.push(
    keys.onDidChange(restart),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("aiops.server")) {
        void server.restartByUser();
      }
    }),
  );
  restart();
  void pythonApi(log).then((python) => {
    if (python !== undefined) {
      context.subscriptions.push(python.onDidChange(restart));
    }
  });
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

async function offerInstall(missing: NotFound, log: vscode.LogOutputChannel): Promise<void> {
  const first = missing.tried[0]?.split("\n", 1)[0];
  const why = first === undefined ? "aiops-lsp was found nowhere." : `aiops-lsp cannot be run: ${first}`;
  const words = `${why} It can be installed for VS Code alone, which needs Python 3.11 or later.`;
  switch (await vscode.window.showWarningMessage(words, INSTALL, SETTINGS, LOG)) {
    case INSTALL:
      await vscode.commands.executeCommand("aiops.server.install");
      break;
    case SETTINGS:
      await vscode.commands.executeCommand("workbench.action.openSettings", "aiops.server");
      break;
    case LOG:
      log.show();
      break;
    default:
  }
}

async function openSettings(context: vscode.ExtensionContext): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${context.extension.id}`);
}

async function openWalkthrough(context: vscode.ExtensionContext): Promise<void> {
  const walkthrough = `${context.extension.id}#start`;
  await vscode.commands.executeCommand("workbench.action.openWalkthrough", walkthrough, false);
}
