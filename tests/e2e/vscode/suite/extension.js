// The installed extension, as other extensions and VS Code itself see it.
const assert = require("assert");
const vscode = require("vscode");

const CODE = "def mean(values):\n    note = '👍 漢字\t'; return sum(values) / len(values)\n";
const FIXED = "return sum(values) / (len(values) or 1)";

async function until(what, look) {
  const end = Date.now() + 50000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const folder = () => vscode.workspace.workspaceFolders[0].uri;
const whole = (document) => new vscode.Range(0, 0, document.lineCount, 0);
const found = (document) =>
  vscode.languages.getDiagnostics(document.uri).filter((one) => one.source === "aiops" && one.code === "bug");
const finding = (document) => until("the finding", () => found(document)[0]);
const gone = (document) => until("the finding to go", () => found(document).length === 0);

async function actions(document, range) {
  const command = "vscode.executeCodeActionProvider";
  return vscode.commands.executeCommand(command, document.uri, range, vscode.CodeActionKind.QuickFix.value, 20);
}

async function action(document, start) {
  const { range } = await finding(document);
  return until(start, async () => (await actions(document, range)).find((one) => one.title.startsWith(start)));
}

suite(`aiops in ${vscode.env.appName} ${vscode.version}`, () => {
  let document;
  const extension = vscode.extensions.getExtension("aiops.aiops-lsp");

  suiteSetup(async () => {
    assert.ok(extension, "the extension is installed");
    document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder(), "shop.py"));
    await vscode.window.showTextDocument(document);
  });

  test("opening a source file activates it", async () => {
    await until("activation", () => extension.isActive);
  });

  test("the finding is at the exact text", async () => {
    const one = await finding(document);
    assert.strictEqual(document.getText(one.range), "/ len(values)");
    assert.strictEqual(one.severity, vscode.DiagnosticSeverity.Warning);
    assert.match(one.message, /^Divides by zero\n/);
  });

  test("an inlay hint says so at the end of the line", async () => {
    const hints = await until("the hint", async () => {
      const all = await vscode.commands.executeCommand("vscode.executeInlayHintProvider", document.uri, whole(document));
      return all.length > 0 && all;
    });
    assert.strictEqual(hints[0].label, "▲ Divides by zero");
    assert.deepStrictEqual(hints[0].position, document.lineAt(1).range.end);
  });

  test("the hover tells the whole story", async () => {
    const { range } = await finding(document);
    const hovers = await vscode.commands.executeCommand("vscode.executeHoverProvider", document.uri, range.start);
    const text = hovers.flatMap((hover) => hover.contents.map((content) => content.value)).join("\n");
    assert.match(text, /The mean of no values is undefined/);
  });

  test("the quick fix changes exactly its line, undo brings the finding back", async () => {
    const fix = await action(document, "Fix: ");
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.strictEqual(document.getText(), CODE.replace("return sum(values) / len(values)", FIXED));
    await gone(document);
    await vscode.commands.executeCommand("undo");
    assert.strictEqual(document.getText(), CODE);
    await finding(document);
  });

  test("a comment ignores the finding", async () => {
    const ignore = await action(document, "Ignore with a comment");
    assert.ok(await vscode.workspace.applyEdit(ignore.edit));
    assert.match(document.getText(), /^ {4}# aiops: ignore\[bug\]$/m);
    await gone(document);
    await vscode.commands.executeCommand("undo");
    await finding(document);
  });

  test("what was upheld as a fix is preferred, and Fix All applies it", async () => {
    await action(document, "Fix: ");
    const { range } = await finding(document);
    const [first] = await actions(document, range);
    assert.match(first.title, /^Fix: /);
    assert.strictEqual(first.isPreferred, true);
    const command = "vscode.executeCodeActionProvider";
    const all = await vscode.commands.executeCommand(command, document.uri, whole(document), "source.fixAll.aiops", 20);
    assert.strictEqual(all.length, 1, JSON.stringify(all));
    assert.ok(await vscode.workspace.applyEdit(all[0].edit));
    assert.strictEqual(document.getText(), CODE.replace("return sum(values) / len(values)", FIXED));
    await vscode.commands.executeCommand("undo");
    await finding(document);
  });

  test("there is no code lens unless it is turned on, and then one that says how much is reviewed", async () => {
    const lenses = async () => {
      const all = await vscode.commands.executeCommand("vscode.executeCodeLensProvider", document.uri, 5);
      return all.filter((one) => one.command?.command.startsWith("aiops."));
    };
    assert.deepStrictEqual(await lenses(), []);
    const settings = vscode.workspace.getConfiguration("aiops", document.uri);
    await settings.update("codeLens.enabled", true, vscode.ConfigurationTarget.Workspace);
    const [lens] = await until("the lens", async () => {
      const some = await lenses();
      return some.length > 0 && some;
    });
    assert.match(lens.command.title, /regions? reviewed/);
    await settings.update("codeLens.enabled", undefined, vscode.ConfigurationTarget.Workspace);
    await until("the lens to go", async () => (await lenses()).length === 0);
  });

  test("what is contributed is registered, with a category and under other ids than the server's", async () => {
    const ids = await vscode.commands.getCommands(true);
    for (const { command, category } of extension.packageJSON.contributes.commands) {
      assert.ok(ids.includes(command), command);
      assert.strictEqual(category, "aiops");
    }
    const server = ids.filter((id) => /^aiops\.[a-zA-Z]+$/.test(id) && !["aiops.menu", "aiops.pause", "aiops.resume"].includes(id));
    assert.ok(server.includes("aiops.reviewDocument"), "the client registers the server's own");
    const contributed = extension.packageJSON.contributes.commands.map(({ command }) => command);
    assert.deepStrictEqual(server.filter((id) => contributed.includes(id)), []);
    assert.strictEqual(extension.packageJSON.contributes.keybindings, undefined);
  });

  test("a setting takes effect at once and back again", async () => {
    const settings = vscode.workspace.getConfiguration("aiops", document.uri);
    await settings.update("review.minSeverity", "critical", vscode.ConfigurationTarget.Workspace);
    await gone(document);
    await settings.update("review.minSeverity", undefined, vscode.ConfigurationTarget.Workspace);
    await finding(document);
  });

  test("what costs or runs something cannot be set by a workspace", async () => {
    const settings = vscode.workspace.getConfiguration("aiops", document.uri);
    for (const name of ["server.path", "models.simple", "budget.monthlyCostLimit", "rules.rulesDir", "review.scope"]) {
      await assert.rejects(async () => settings.update(name, settings.get(name), vscode.ConfigurationTarget.Workspace), name);
    }
  });

  test("a paused window asks no model, a resumed one does", async () => {
    await vscode.commands.executeCommand("aiops.pause");
    const other = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder(), "other.py"));
    await vscode.window.showTextDocument(other);
    const rule = () => vscode.languages.getDiagnostics(other.uri).find((one) => one.code === "py/shell-injection");
    await until("the rule's finding", rule);
    assert.deepStrictEqual(found(other), []);
    await vscode.commands.executeCommand("aiops.resume");
    await finding(other);
  });

  test("the server starts again when it is asked to, once for many calls", async () => {
    const restart = () => vscode.commands.executeCommand("aiops.server.restart");
    await Promise.all([restart(), restart(), restart()]);
    await vscode.window.showTextDocument(document);
    await finding(document);
  });
});
