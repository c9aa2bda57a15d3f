/** The usage view. Its page runs no script and loads nothing but its own style sheet. */

import * as vscode from "vscode";

import type { Usage, UsageRow } from "./protocol";
import type { Server } from "./server";
import { counted, grouped, usd } from "./words";

const PERIODS = [7, 30, 90];

export class UsageView implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  constructor(
    private readonly server: Server,
    private readonly media: vscode.Uri,
  ) {}

  /** Show the last `days` days. */
  async open(days: number): Promise<void> {
    const client = this.server.client;
    if (client === undefined) {
      await vscode.commands.executeCommand("aiops.menu");
      return;
    }
    let usage: Usage;
    try {
      usage = await client.sendRequest<Usage>("aiops/usage", { days });
    } catch (error) {
      void vscode.window.showErrorMessage(`aiops: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    this.panel ??= this.create();
    const style = this.panel.webview.asWebviewUri(vscode.Uri.joinPath(this.media, "usage.css"));
    this.panel.webview.html = page(usage, style.toString(), this.panel.webview.cspSource);
    this.panel.reveal();
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private create(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel("aiops.usage", "aiops Usage", vscode.ViewColumn.Active, {
      enableScripts: false,
      enableCommandUris: ["aiops.usage.open"],
      localResourceRoots: [this.media],
    });
    panel.onDidDispose(() => {
      this.panel = undefined;
    });
    return panel;
  }
}

function page(usage: Usage, style: string, source: string): string {
  const { spend } = usage;
  const tables: [string, (row: UsageRow) => string][] = [
    ["Day", (row) => row.day],
    ["Model", (row) => row.model],
    ["Tier", (row) => row.tier],
    ["Project", (row) => row.project.split(/[\\/]/).pop() || "(no folder)"],
    ["Language", (row) => row.language],
  ];
  const asked =
    usage.usage.length === 0
      ? `<p class="empty">No model was asked in the last ${counted(usage.days, "day")}.</p>`
      : `<div class="tables">${tables.map(([heading, name]) => table(heading, usage.usage, name)).join("")}</div>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source}">
<link rel="stylesheet" href="${escape(style)}">
<title>aiops Usage</title>
</head>
<body>
<h1>Usage</h1>
<section class="limits">
${gauge("Today", `${grouped(spend.today_tokens)} of ${grouped(spend.daily_token_budget)} tokens, ${usd(spend.today_usd)}`, spend.today_tokens, spend.daily_token_budget, spend.day_resets_at)}
${gauge("This month", `${usd(spend.month_usd)} of ${usd(spend.monthly_cost_limit)}`, spend.month_usd, spend.monthly_cost_limit, spend.month_resets_at)}
<p>Saved by the cache today: ${grouped(spend.saved_tokens)} tokens, ${usd(spend.saved_usd)}</p>
</section>
<nav>${PERIODS.map((days) => period(days, usage.days)).join(" ")}</nav>
${asked}
</body>
</html>`;
}

function gauge(name: string, words: string, used: number, limit: number, resetsAt: number): string {
  const part = limit > 0 ? Math.min(1, used / limit) : 1;
  const level = part >= 1 ? "full" : part >= 0.8 ? "near" : "";
  const until = resetsAt > 0 ? `resets ${new Date(resetsAt * 1000).toLocaleString()}` : "";
  return `<div class="gauge"><span class="name">${escape(name)}</span>
<progress class="${level}" max="1" value="${part.toFixed(4)}"></progress>
<span>${escape(words)}</span><span class="until">${escape(until)}</span></div>`;
}

function period(days: number, shown: number): string {
  const words = `${days} days`;
  const link = `command:aiops.usage.open?${encodeURIComponent(JSON.stringify([days]))}`;
  return days === shown ? `<b>${words}</b>` : `<a href="${escape(link)}">${words}</a>`;
}

/** The rows summed by `name`, the dearest first; days in their order. */
function table(heading: string, rows: readonly UsageRow[], name: (row: UsageRow) => string): string {
  const sums = new Map<string, { requests: number; tokens: number; usd: number }>();
  for (const row of rows) {
    const sum = sums.get(name(row)) ?? { requests: 0, tokens: 0, usd: 0 };
    sum.requests += row.requests;
    sum.tokens += row.input_tokens + row.output_tokens + row.assumed_tokens;
    sum.usd += row.micro_usd / 1_000_000;
    sums.set(name(row), sum);
  }
  const sorted = [...sums].sort(([nameA, a], [nameB, b]) =>
    heading === "Day" ? nameB.localeCompare(nameA) : b.usd - a.usd || b.tokens - a.tokens,
  );
  const body = sorted.map(
    ([what, sum]) =>
      `<tr><td>${escape(what)}</td><td>${grouped(sum.requests)}</td><td>${grouped(sum.tokens)}</td>` +
      `<td>${sum.usd.toFixed(4)}</td></tr>`,
  );
  return `<table><thead><tr><th class="name">${heading}</th><th>Requests</th><th>Tokens</th><th>USD</th></tr></thead>
<tbody>${body.join("")}</tbody></table>`;
}

function escape(text: string): string {
  const signs: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (sign) => signs[sign] ?? sign);
}
