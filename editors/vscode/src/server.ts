/** The server's life: started from where it is found, started again when it crashed or something changed. */

import * as vscode from "vscode";
import type { ErrorHandler, LanguageClientOptions } from "vscode-languageclient/node";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";

import { Backoff } from "./backoff";
import type { Found, NotFound } from "./discovery";
import { findServer } from "./discovery";
import type { Keys } from "./keys";
import type { Status } from "./protocol";
import { collect, serverSettings } from "./settings";

const STOP_MS = 5_000;
const STATUS_MS = 3_000;

/** What of the server's life is worth showing. */
export type Life = "starting" | "running" | "crashed" | "missing" | "failed" | "stopped";

export class Server implements vscode.Disposable {
  private readonly lifeChanged = new vscode.EventEmitter<Life>();
  private readonly statusChanged = new vscode.EventEmitter<Status>();
  private readonly backoff = new Backoff();
  private readonly settings: string[];
  private current: LanguageClient | undefined;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private again: NodeJS.Timeout | undefined;
  private paused = false;
  private closed = false;

  readonly onDidChangeLife = this.lifeChanged.event;
  readonly onDidChangeStatus = this.statusChanged.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly keys: Keys,
    private readonly log: vscode.LogOutputChannel,
    private readonly notFound: (missing: NotFound) => void,
  ) {
    this.settings = serverSettings(context.extension.packageJSON as object);
  }

  /** Where the private environment is or would be. */
  get privateFolder(): string {
    return vscode.Uri.joinPath(this.context.globalStorageUri, "environment").fsPath;
  }

  /** The client, as long as the server runs. */
  get client(): LanguageClient | undefined {
    return this.current?.isRunning() === true ? this.current : undefined;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** Have no model asked until `pause(false)`, in this window. The rules go on. Returns when it holds. */
  async pause(paused: boolean): Promise<void> {
    this.paused = paused;
    const holds = this.nextStatus((status) => (status.state === "offline") === paused);
    await this.client?.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    await holds;
  }

  /** Start the server, or start it anew. Calls that come while one is waiting to begin are that one. */
  restart(): Promise<void> {
    this.forgetRestart();
    this.next ??= this.running.then(() => {
      this.next = undefined;
      this.running = this.cycle();
      return this.running;
    });
    return this.next;
  }

  /** The same at the user's own wish, which lets past crashes rest. */
  restartByUser(): Promise<void> {
    this.backoff.reset();
    return this.restart();
  }

  /** Stop for good. */
  async stop(): Promise<void> {
    this.closed = true;
    this.forgetRestart();
    await this.running;
    await this.stopClient();
  }

  dispose(): void {
    this.forgetRestart();
    this.lifeChanged.dispose();
    this.statusChanged.dispose();
  }

  /** The next status that is as wanted, or some time without any: one that changes nothing is never sent. */
  private nextStatus(wanted: (status: Status) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        following.dispose();
        resolve();
      };
      const timer = setTimeout(end, STATUS_MS);
      const following = this.statusChanged.event((status) => {
        if (wanted(status)) {
          end();
        }
      });
    });
  }

  private forgetRestart(): void {
    clearTimeout(this.again);
    this.again = undefined;
  }

  private async cycle(): Promise<void> {
    try {
      await this.stopClient();
      if (!this.closed) {
        this.lifeChanged.fire("starting");
        await this.start();
      }
    } catch (error) {
      // What the server itself said is in the log by now.
      this.log.error(`the server could not be started: ${String(error)}`);
      if (this.again === undefined) {
        this.lifeChanged.fire("failed");
      }
    }
  }

  private async start(): Promise<void> {
    await vscode.workspace.fs.createDirectory(vscode.Uri.file(this.privateFolder));
    const found = await findServer(this.privateFolder, this.log);
    if ("tried" in found) {
      this.lifeChanged.fire("missing");
      this.notFound(found);
      return;
    }
    this.current = await this.createClient(found);
    await this.current.start();
    this.lifeChanged.fire("running");
  }

  private async stopClient(): Promise<void> {
    const client = this.current;
    this.current = undefined;
    if (client === undefined) {
      return;
    }
    try {
      await client.dispose(STOP_MS);
    } catch (error) {
      this.log.warn(`the server did not stop in order: ${String(error)}`);
    }
    if (!this.closed) {
      this.lifeChanged.fire("stopped");
    }
  }

  private async createClient(found: Found): Promise<LanguageClient> {
    const environment = { ...process.env, ...(await this.keys.environment()) };
    // Not the workspace as the current folder: of one that is not trusted nothing may be found by being there.
    const options = { cwd: this.privateFolder, env: environment };
    const server = { command: found.program, args: ["serve", "--stdio"], options };
    const client = new LanguageClient("aiops", "aiops", server, this.clientOptions());
    client.onNotification("aiops/status", (status: Status) => {
      this.statusChanged.fire(status);
    });
    return client;
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
      diagnosticCollectionName: "aiops",
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: { trusted: vscode.workspace.isTrusted },
      errorHandler: this.errorHandler(),
      initializationFailedHandler: () => false,
      markdown: { isTrusted: false, supportHtml: false },
      middleware: {
        provideCodeActions: async (document, range, context, token, next) =>
          verifiedFirst(await next(document, range, context, token)),
        workspace: {
          configuration: (params, token, next) =>
            params.items.every((item) => item.section === "aiops")
              ? params.items.map((item) => this.settingsFor(item.scopeUri))
              : next(params, token),
          // Not with the values, which would be the defaults too: the server asks for what somebody set.
          didChangeConfiguration: (_sections, next) => next(undefined),
        },
      },
    };
  }

  private settingsFor(scopeUri: string | undefined): object {
    const values = collect(this.settings, scopeUri === undefined ? undefined : vscode.Uri.parse(scopeUri));
    return this.paused ? { ...values, review: { ...(values["review"] as object), enabled: false } } : values;
  }

  private errorHandler(): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        this.crashed();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  private crashed(): void {
    if (this.closed) {
      return;
    }
    const wait = this.backoff.next(Date.now());
    this.lifeChanged.fire("crashed");
    if (wait === undefined) {
      this.log.error("the server crashed too often within minutes and stays off");
      void this.offerRestart();
      return;
    }
    this.log.warn(`the server crashed; it is started again in ${wait} ms`);
    this.again = setTimeout(() => void this.restart(), wait);
  }

  private async offerRestart(): Promise<void> {
    const words = "aiops crashed several times within minutes and stays off.";
    const chosen = await vscode.window.showErrorMessage(words, "Restart", "Show Log");
    if (chosen === "Restart") {
      await this.restartByUser();
    } else if (chosen === "Show Log") {
      this.log.show();
    }
  }
}

type Actions = (vscode.Command | vscode.CodeAction)[] | null | undefined;

/** VS Code lists last whatever a model wrote; a fix that was verified belongs first, so it is not marked as such. */
function verifiedFirst(actions: Actions): Actions {
  for (const action of actions ?? []) {
    if ("isPreferred" in action && action.isPreferred) {
      (action as { isAI?: boolean }).isAI = false;
    }
  }
  return actions;
}
