/** What the server says beyond LSP, as it goes over the wire. */

export type State = "idle" | "reviewing" | "degraded" | "offline" | "over_budget" | "waiting_for_consent";

/** The notification `aiops/status`. Money is in US dollars, times are seconds since the epoch. */
export interface Status {
  state: State;
  reason: string;
  spend: { todayTokens: number; todayUsd: number; monthUsd: number; savedTokens: number; savedUsd: number };
  limits: { dailyTokenBudget: number; monthlyCostLimit: number; dayResetsAt: number; monthResetsAt: number };
  documents: DocumentStatus[];
  restrictedBy: string[];
}

export interface DocumentStatus {
  uri: string;
  regions: number;
  reviewed: number;
  reviewing: number;
  notReviewed: Record<string, number>;
  words: string;
  note: string;
}

/** What came of reviewing a document. Lines and columns count from 0. */
export interface Report {
  uri: string;
  findings: { id: string; code: string; severity: string; confidence: number; title: string; line: number }[];
  regions: number;
  reviewed: number;
  note: string;
  tokens: number;
  usd: number;
}

/** A review that the user or a limit did not let happen; the server has said why. */
export interface Refusal {
  refused: string;
}

export interface WorkspaceReport {
  documents: Report[];
  unreadable: { uri: string; reason: string }[];
}

/** The answer to `aiops/usage`, whose names are those of the ledger. */
export interface Usage {
  days: number;
  spend: {
    today_tokens: number;
    today_usd: number;
    month_usd: number;
    daily_token_budget: number;
    monthly_cost_limit: number;
    saved_tokens: number;
    saved_usd: number;
    day_resets_at: number;
    month_resets_at: number;
  };
  usage: UsageRow[];
  saved: { day: string; tokens: number; micro_usd: number }[];
}

export interface UsageRow {
  day: string;
  model: string;
  tier: string;
  project: string;
  language: string;
  requests: number;
  input_tokens: number;
  output_tokens: number;
  assumed_tokens: number;
  micro_usd: number;
}

export function isRefusal(result: object): result is Refusal {
  return "refused" in result;
}
