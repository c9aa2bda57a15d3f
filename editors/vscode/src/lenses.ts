/** The code lens at the top of a file that says how much of it is reviewed. Off unless the user turns it on. */

import * as vscode from "vscode";

import type { StatusView } from "./status";

export class Lenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: { dispose(): unknown }[];

  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly status: StatusView) {
    this.subscriptions = [
      this.changed,
      status.onDidChange(() => {
        this.changed.fire();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("aiops.codeLens")) {
          this.changed.fire();
        }
      }),
    ];
  }

  dispose(): void {
    for (const one of this.subscriptions) {
      one.dispose();
    }
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const shown = vscode.workspace.getConfiguration("aiops", document.uri).get<boolean>("codeLens.enabled", false);
    const part = shown ? this.status.document(document.uri) : undefined;
    if (part === undefined) {
      return [];
    }
    const range = new vscode.Range(0, 0, 0, 0);
    const words = part.note === "" ? part.words : part.note;
    return [
      new vscode.CodeLens(range, { title: `aiops: ${words}`, command: "aiops.menu" }),
      new vscode.CodeLens(range, { title: "Review", command: "aiops.review.file" }),
    ];
  }
}
