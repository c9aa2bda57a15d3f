/**
 * API keys: kept in VS Code's secret storage, handed to the server in its environment, and nowhere else.
 */

import * as vscode from "vscode";

interface Vendor {
  label: string;
  variable: string;
  description: string;
}

const VENDORS: readonly Vendor[] = [
  { label: "Anthropic", variable: "ANTHROPIC_API_KEY", description: "Claude models" },
  { label: "OpenAI", variable: "OPENAI_API_KEY", description: "GPT models" },
];

export class Keys {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  /** Another window, or this one, set or removed a key. */
  get onDidChange(): vscode.Event<unknown> {
    return this.secrets.onDidChange;
  }

  /** Variables for the server's environment. */
  async environment(): Promise<Record<string, string>> {
    const variables: Record<string, string> = {};
    for (const { variable } of VENDORS) {
      const key = await this.secrets.get(variable);
      if (key !== undefined) {
        variables[variable] = key;
      }
    }
    return variables;
  }

  /** Ask for a key and keep it. */
  async set(): Promise<void> {
    const vendor = await vscode.window.showQuickPick(VENDORS, { title: "aiops: Whose key is it?" });
    if (vendor === undefined) {
      return;
    }
    const key = await vscode.window.showInputBox({
      title: `aiops: ${vendor.label} API key`,
      prompt: "It is kept in VS Code's secret storage and is sent to nobody but the vendor.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (/^\s*[\x21-\x7e]{8,}\s*$/.test(text) ? undefined : "This does not look like a key."),
    });
    if (key !== undefined) {
      await this.secrets.store(vendor.variable, key.trim());
      void vscode.window.showInformationMessage(`aiops: the ${vendor.label} key is set.`);
    }
  }

  /** Forget a key. */
  async remove(): Promise<void> {
    const variables = Object.keys(await this.environment());
    const kept = VENDORS.filter((vendor) => variables.includes(vendor.variable));
    if (kept.length === 0) {
      void vscode.window.showInformationMessage("aiops: no key is kept in VS Code.");
      return;
    }
    const vendor = await vscode.window.showQuickPick(kept, { title: "aiops: Which key is to be removed?" });
    if (vendor !== undefined) {
      await this.secrets.delete(vendor.variable);
    }
  }
}
