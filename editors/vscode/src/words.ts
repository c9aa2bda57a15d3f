/** Numbers and states in words. */

import type { Life } from "./server";
import type { Report, State } from "./protocol";

const NUMBER = new Intl.NumberFormat("en-US");

export function grouped(value: number): string {
  return NUMBER.format(value);
}

export function counted(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function usd(value: number): string {
  return `${value.toFixed(2)} USD`;
}

export const STATES: Record<State, string> = {
  idle: "idle",
  reviewing: "reviewing",
  degraded: "degraded",
  offline: "offline",
  over_budget: "over budget",
  waiting_for_consent: "waiting for your answer",
};

export const LIVES: Record<Exclude<Life, "running">, string> = {
  starting: "starting",
  crashed: "starting again after a crash",
  missing: "the server is not installed",
  failed: "the server could not be started",
  stopped: "stopped",
};

/** What came of a review, in a sentence. */
export function summary(reports: readonly Report[]): string {
  const sum = (value: (report: Report) => number): number => reports.reduce((all, one) => all + value(one), 0);
  const findings = sum((report) => report.findings.length);
  const files = reports.filter((report) => report.findings.length > 0).length;
  const where = reports.length > 1 && findings > 0 ? ` in ${counted(files, "file")}` : "";
  const regions = `${grouped(sum((report) => report.reviewed))} of ${counted(sum((report) => report.regions), "region")}`;
  const tokens = sum((report) => report.tokens);
  const cost = tokens > 0 ? `; ${grouped(tokens)} tokens, ${sum((report) => report.usd).toFixed(4)} USD` : "";
  const notes = reports.length === 1 && reports[0]?.note ? `. Not put to a model: ${reports[0].note}` : "";
  return `${counted(findings, "finding")}${where}; ${regions} reviewed${cost}${notes}`;
}
