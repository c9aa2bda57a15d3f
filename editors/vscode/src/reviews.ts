/** Reviews that the user asks for. */

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { ExecuteCommandRequest, ResponseError, WorkDoneProgress } from "vscode-languageclient/node";

import type { Refusal, Report, WorkspaceReport } from "./protocol";
import { isRefusal } from "./protocol";
import type { Server } from "./server";
import { summary } from "./words";

const SHOW_PROBLEMS = "Show Problems";
const SHOW_FINDINGS = "Show Findings";

export class Reviews {
  private tokens = 0;

  constructor(
    private readonly server: Server,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  async file(): Promise<void> {
    const uri = activeDocument()?.uri;
    const report = uri && (await this.execute<Report | Refusal>("aiops.reviewDocument", "Reviewing the file", { uri }));
    await this.tell(report === undefined ? undefined : [report]);
  }

  async changes(): Promise<void> {
    await this.tell(await this.execute<(Report | Refusal)[]>("aiops.reviewChanges", "Reviewing changes"));
  }

  /** The selected lines, or the whole file where nothing is selected, by the strongest model. */
  async selection(): Promise<void> {
    const document = activeDocument();
    const selection = vscode.window.activeTextEditor?.selection;
    if (document === undefined || selection === undefined) {
      return;
    }
    const lines = selection.isEmpty ? {} : { startLine: selection.start.line, endLine: selection.end.line };
    const argument = { uri: document.uri, ...lines };
    const report = await this.execute<Report | Refusal>("aiops.reviewDeeper", "Reviewing in depth", argument);
    await this.tell(report === undefined ? undefined : [report]);
  }

  /** Findings of files that are not open are in no Problems view, so they are listed. */
  async workspace(): Promise<void> {
    const command = "aiops.reviewWorkspace";
    const result = await this.execute<WorkspaceReport | Refusal>(command, "Reviewing the workspace");
    if (result === undefined || isRefusal(result)) {
      return;
    }
    const found = result.documents.some((report) => report.findings.length > 0);
    const buttons = found ? [SHOW_FINDINGS] : [];
    const words = `aiops: ${summary(result.documents)}`;
    if ((await vscode.window.showInformationMessage(words, ...buttons)) === SHOW_FINDINGS) {
      await listFindings(result.documents);
    }
  }

  async clearCache(): Promise<void> {
    await this.execute("aiops.clearCache", "Clearing the cache");
  }

  private async tell(results: readonly (Report | Refusal)[] | undefined): Promise<void> {
    const reports = results?.filter((result): result is Report => !isRefusal(result)) ?? [];
    if (reports.length === 0) {
      return; // why it was refused the server has said
    }
    const buttons = reports.some((report) => report.findings.length > 0) ? [SHOW_PROBLEMS] : [];
    const words = `aiops: ${summary(reports)}`;
    if ((await vscode.window.showInformationMessage(words, ...buttons)) === SHOW_PROBLEMS) {
      await vscode.commands.executeCommand("workbench.panel.markers.view.focus");
    }
  }

  /** Have the server carry out a command, with its progress shown where it can be cancelled. */
  private async execute<T>(command: string, title: string, argument?: { uri: vscode.Uri }): Promise<T | undefined> {
    const client = this.server.client;
    if (client === undefined) {
      void vscode.commands.executeCommand("aiops.menu");
      return undefined;
    }
    const args = argument && [{ ...argument, uri: client.code2ProtocolConverter.asUri(argument.uri) }];
    const where = { location: vscode.ProgressLocation.Notification, title: `aiops: ${title}`, cancellable: true };
    try {
      return await vscode.window.withProgress(where, (progress, cancel) =>
        this.request<T>(client, command, args ?? [], progress, cancel),
      );
    } catch (error) {
      if (!(error instanceof vscode.CancellationError)) {
        this.log.error(`${command}: ${String(error)}`);
        const words = error instanceof ResponseError ? error.message : "the server did not answer; the log says more";
        void vscode.window.showErrorMessage(`aiops: ${words}`);
      }
      return undefined;
    }
  }

  private async request<T>(
    client: LanguageClient,
    command: string,
    args: unknown[],
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    cancel: vscode.CancellationToken,
  ): Promise<T> {
    this.tokens += 1;
    const workDoneToken = `aiops-${this.tokens}`;
    let done = 0;
    const following = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if (value.kind === "report") {
        const increment = Math.max(0, (value.percentage ?? done) - done);
        done += increment;
        progress.report({ increment, ...(value.message === undefined ? {} : { message: value.message }) });
      }
    });
    try {
      const params = { command, arguments: args, workDoneToken };
      return (await client.sendRequest(ExecuteCommandRequest.type, params, cancel)) as T;
    } catch (error) {
      throw cancel.isCancellationRequested ? new vscode.CancellationError() : error;
    } finally {
      following.dispose();
    }
  }
}

function activeDocument(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) {
    void vscode.window.showInformationMessage("aiops: open a file to have it reviewed.");
  }
  return document;
}

async function listFindings(reports: readonly Report[]): Promise<void> {
  const entries = reports.flatMap((report) => {
    const uri = vscode.Uri.parse(report.uri);
    const file = vscode.workspace.asRelativePath(uri);
    return report.findings.map(({ title, code, severity, line }) => ({
      label: title,
      description: `${severity} · ${code}`,
      detail: `${file}:${line + 1}`,
      uri,
      line,
    }));
  });
  const chosen = await vscode.window.showQuickPick(entries, { title: "aiops: Findings", matchOnDetail: true });
  if (chosen !== undefined) {
    const selection = new vscode.Range(chosen.line, 0, chosen.line, 0);
    await vscode.window.showTextDocument(chosen.uri, { selection });
  }
}
