/** Files that the extension opens for the user: a sample with findings, and the user's own configuration. */

import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

const START = `# aiops-lsp: the user's own configuration. \`aiops-lsp config show\` lists all options.

# A local server that speaks OpenAI's protocol (Ollama, vLLM, llama.cpp, LM Studio) costs nothing:
# [providers.local]
# base_url = "http://127.0.0.1:11434/v1"
#
# [models]
# simple = "local:qwen3-coder"
# medium = "local:qwen3-coder"
# complex = "local:qwen3-coder"

# [budget]
# daily_token_budget = 1_000_000
# monthly_cost_limit = 500.0
`;

/** Open the sample. It is copied, so that it can be edited and fixed. */
export async function openSample(context: vscode.ExtensionContext): Promise<void> {
  const source = vscode.Uri.joinPath(context.extensionUri, "walkthrough", "orders.py");
  const target = vscode.Uri.joinPath(context.globalStorageUri, "sample", "orders.py");
  await vscode.workspace.fs.copy(source, target, { overwrite: true });
  await vscode.window.showTextDocument(target, { viewColumn: vscode.ViewColumn.Beside });
}

/** Open the user's configuration file, with some commented lines to start from where there is none. */
export async function openUserFile(): Promise<void> {
  const file = vscode.Uri.file(path.join(configFolder(), "aiops-lsp", "config.toml"));
  try {
    await vscode.workspace.fs.stat(file);
  } catch {
    await vscode.workspace.fs.writeFile(file, Buffer.from(START));
  }
  await vscode.window.showTextDocument(file);
}

/** Where programs keep the user's configuration, by the same rules as the server. */
function configFolder(): string {
  switch (process.platform) {
    case "win32":
      return process.env["LOCALAPPDATA"] ?? path.join(homedir(), "AppData", "Local");
    case "darwin":
      return path.join(homedir(), "Library", "Application Support");
    default: {
      const folder = process.env["XDG_CONFIG_HOME"]?.trim() ?? "";
      return folder === "" ? path.join(homedir(), ".config") : folder;
    }
  }
}
