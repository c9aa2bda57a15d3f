/** The one item in the editor's language status: what goes on, how much of the file is reviewed, what was spent today. */

import * as vscode from "vscode";

import type { DocumentStatus, Status } from "./protocol";
import type { Life, Server } from "./server";
import { LIVES, STATES, usd } from "./words";

const DETAIL_LENGTH = 60;

export class StatusView implements vscode.Disposable {
  private readonly item: vscode.LanguageStatusItem;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: { dispose(): unknown }[];
  private life: Life = "starting";
  private status: Status | undefined;

  /** What is shown may be another. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly server: Server) {
    this.item = vscode.languages.createLanguageStatusItem("aiops.status", [{ scheme: "file" }, { scheme: "untitled" }]);
    this.item.name = "aiops";
    this.item.command = { command: "aiops.menu", title: "Menu", tooltip: "Review, pause, usage, log, settings" };
    this.subscriptions = [
      this.item,
      this.changed,
      server.onDidChangeLife((life) => {
        this.life = life;
        this.status = undefined;
        this.show();
      }),
      server.onDidChangeStatus((status) => {
        this.status = status;
        this.show();
      }),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.show();
      }),
    ];
    this.show();
  }

  /** The state in a few words. */
  get state(): string {
    if (this.life !== "running") {
      return LIVES[this.life];
    }
    if (this.status === undefined) {
      return LIVES.starting;
    }
    return this.server.isPaused ? "paused" : STATES[this.status.state];
  }

  /** Why it is so; empty when there is nothing to add. */
  get reason(): string {
    const reason = this.status?.reason ?? "";
    return reason === this.state ? "" : reason;
  }

  /** What was spent today, and how much of it is left. */
  get spend(): string {
    return this.status === undefined ? "" : `${usd(this.status.spend.todayUsd)} today`;
  }

  /** How much of a document is reviewed. */
  document(uri: vscode.Uri): DocumentStatus | undefined {
    const wanted = this.server.client?.code2ProtocolConverter.asUri(uri);
    return this.status?.documents.find((document) => document.uri === wanted);
  }

  dispose(): void {
    for (const one of this.subscriptions) {
      one.dispose();
    }
  }

  private show(): void {
    const editor = vscode.window.activeTextEditor;
    const document = editor === undefined ? undefined : this.document(editor.document.uri);
    this.item.text = `aiops: ${this.state}`;
    const part = document?.note === "" ? document.words : document?.note;
    // It is one line, and what does not fit is cut off: where something is amiss, that is what it says.
    const shown = this.reason === "" ? [part, this.spend] : [clipped(this.reason)];
    this.item.detail = shown.filter((text) => text !== undefined && text !== "").join(" · ");
    this.item.busy = this.life === "starting" || this.life === "crashed" || this.status?.state === "reviewing";
    this.item.severity = this.severity();
    this.changed.fire();
  }

  private severity(): vscode.LanguageStatusSeverity {
    if (this.life === "missing" || this.life === "failed") {
      return vscode.LanguageStatusSeverity.Error;
    }
    const state = this.status?.state;
    const amiss = state === "degraded" || state === "over_budget" || state === "waiting_for_consent";
    return amiss || this.life === "crashed"
      ? vscode.LanguageStatusSeverity.Warning
      : vscode.LanguageStatusSeverity.Information;
  }
}

function clipped(text: string): string {
  const [first = ""] = text.split("; ", 1);
  return first.length > DETAIL_LENGTH ? `${first.slice(0, DETAIL_LENGTH - 1).trimEnd()}…` : first;
}
