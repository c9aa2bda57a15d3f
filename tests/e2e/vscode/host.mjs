// Runs the mocha suite inside the extension host; the browser only holds the window.
//
// Environment: as for workbench.mjs, and FOLDER (workspace), SUITE (folder of its index.js), HOST (a development
// extension, without which VS Code runs no tests).
import { openWindow } from "./workbench.mjs";

const { FOLDER, SUITE, HOST } = process.env;
const { browser, page, goto } = await openWindow(FOLDER, [
  ["extensionTestsPath", SUITE],
  ["extensionDevelopmentPath", HOST],
]);
const ended = new Promise((resolve) => {
  page.exposeFunction("codeAutomationLog", () => undefined);
  page.exposeFunction("codeAutomationExit", (code) => resolve(code));
});
await goto();
const code = await ended;
await browser.close();
process.exit(code === 0 ? 0 : 1);
