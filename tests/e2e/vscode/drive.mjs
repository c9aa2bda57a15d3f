// Does in VS Code what a person does, step by step, and says what was seen.
//
// Environment: as for workbench.mjs, and FOLDER (workspace), FILE (name in it), STEPS (words separated by blanks), OUT
// (JSON of what was seen). Exits with 0 when every step was done.
import fs from "node:fs";
import path from "node:path";

import { Workbench, openWindow } from "./workbench.mjs";

const { FOLDER, FILE, STEPS, OUT } = process.env;
const file = path.join(FOLDER, FILE);
const { browser, page, goto } = await openWindow(FOLDER, [["openFile", file]]);
const bench = new Workbench(page);
const seen = {};

/** Tell the test that `what` is reached, and wait until it has done its part. */
async function meet(what) {
  fs.writeFileSync(`${OUT}.${what}`, "");
  await until(`the test to answer ${what}`, () => fs.existsSync(`${OUT}.${what}.done`));
}

async function until(what, look) {
  const end = Date.now() + 60_000;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`did not come: ${what}`);
    await page.waitForTimeout(50);
  }
}

const steps = {
  async open() {
    await goto();
    await page.locator(".monaco-workbench").waitFor({ timeout: 120_000 });
    await page.locator(`.tab[data-resource-name="${FILE}"]`).waitFor();
  },

  async finding() {
    await bench.squiggle().waitFor({ timeout: 120_000 });
    await bench.line("▲ Divides by zero").waitFor();
    await page.waitForTimeout(500); // for the picture: late decorations
    await bench.shot("finding");
  },

  async problems() {
    await bench.command("View: Focus Problems");
    const row = page.locator(".markers-panel .monaco-list-row", { hasText: "Divides by zero" }).first();
    await row.waitFor();
    seen.problem = (await row.innerText()).replace(/\s+/g, " ");
    await bench.shot("problems");
    await bench.command("View: Toggle Panel Visibility");
  },

  async fix() {
    await bench.line("len(").click();
    await bench.command("Go to Next Problem (Error, Warning, Info)");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+.");
    const fix = page.locator(".action-widget .monaco-list-row", { hasText: "Fix: Divides by zero" }).first();
    await fix.waitFor();
    await page.locator(".action-widget .monaco-list-row.focused", { hasText: "Fix: Divides by zero" }).waitFor();
    seen.actions = await page.locator(".action-widget .monaco-list-row").allInnerTexts();
    await bench.shot("quick-fix");
    await page.keyboard.press("Enter");
    await bench.line("or 1)").waitFor();
    await bench.squiggle().waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await until("the file on disk", () => fs.readFileSync(file, "utf8").includes("or 1)"));
    seen.fixed = fs.readFileSync(file, "utf8");
    await page.keyboard.press("Control+z");
    await bench.squiggle().waitFor();
    await page.keyboard.press("Control+s");
  },

  async ignore() {
    await bench.line("len(").click();
    await bench.command("Go to Next Problem (Error, Warning, Info)");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+.");
    await page.locator(".action-widget .monaco-list-row", { hasText: "Ignore with a comment" }).first().click();
    await bench.squiggle().waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await until("the file on disk", () => fs.readFileSync(file, "utf8").includes("ignore["));
    seen.ignored = fs.readFileSync(file, "utf8");
    await page.keyboard.press("Control+z");
    await bench.squiggle().waitFor();
    await page.keyboard.press("Control+s");
  },

  async status() {
    seen.status = await bench.status("aiops: idle");
    await bench.shot("status", { stay: true });
    await page.keyboard.press("Escape");
  },

  async menu() {
    await bench.command("aiops: Show Menu");
    await bench.entry("Review This File").waitFor();
    seen.menu = await page.locator(".quick-input-list .monaco-list-row").allInnerTexts();
    await bench.shot("menu");
    await bench.entry("Show Usage").click();
    const usage = page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    await usage.locator("h1", { hasText: "Usage" }).waitFor();
    seen.usage = await usage.locator("body").innerText();
    await page.waitForTimeout(500);
    await bench.shot("usage");
    await usage.locator("a", { hasText: "90 days" }).click();
    await usage.locator("b", { hasText: "90 days" }).waitFor();
    await bench.command("View: Close Editor");
  },

  async review() {
    await bench.command("aiops: Review This File");
    const told = page.locator(".notification-list-item", { hasText: "reviewed" }).first();
    await told.waitFor();
    seen.review = await told.innerText();
    await bench.command("Notifications: Clear All Notifications");
  },

  async walkthrough() {
    await bench.command("aiops: Get Started");
    await page.locator(".getting-started-step", { hasText: "See the first findings" }).first().waitFor();
    await page.waitForTimeout(1000);
    await bench.shot("walkthrough");
    seen.walkthrough = await page.locator(".getting-started-step .step-title").allInnerTexts();
    await page.locator(".getting-started-step a.monaco-button, .getting-started-step .monaco-button", { hasText: "Open a Sample" }).first().click();
    await page.locator('.tab[data-resource-name="orders.py"]').waitFor();
    await bench.line("SQL statement built from values").waitFor();
    await bench.shot("sample");
    await bench.command("View: Close All Editors");
    await bench.command("File: Open Recent").catch(() => undefined);
    await page.keyboard.press("Escape");
  },

  async key() {
    await bench.command("aiops: Set API Key...");
    await bench.entry("Anthropic").click();
    const input = page.locator(".quick-input-box input").first();
    await until("the box for the key", async () => (await input.getAttribute("type")) === "password");
    await input.fill(process.env.KEY);
    await bench.shot("key");
    await page.keyboard.press("Enter");
    await page.locator(".notification-list-item", { hasText: "key is set" }).first().waitFor();
    await meet("key");
  },

  // The user, who is asked whether code may go to another machine, does not agree.
  async consent() {
    const asked = page.locator(".notification-list-item", { hasText: "May aiops send code" }).first();
    await asked.waitFor({ timeout: 120_000 });
    seen.consent = (await asked.innerText()).replace(/\s+/g, " ");
    const buttons = asked.locator(".notification-list-item-buttons-container .monaco-button");
    seen.answers = (await buttons.allInnerTexts()).map((text) => text.trim());
    await bench.shot("consent");
    seen.waiting = await bench.status("waiting for your answer");
    await page.mouse.move(700, 300);
    await page.locator(".hover-language-status").first().waitFor({ state: "hidden" });
    await buttons.filter({ hasText: "Not now" }).click();
    seen.declined = await bench.status("was not allowed");
  },

  async outage() {
    await meet("down");
    await bench.line("def mean").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\ndef first(values):\nreturn values[0]\n");
    await page.keyboard.press("Control+s");
    seen.outage = await bench.status("aiops: degraded");
    await bench.shot("degraded", { stay: true });
    await page.keyboard.press("Escape");
    await meet("up");
    await bench.command("aiops: Review Changes in Open Files");
    seen.healed = await bench.status("aiops: idle");
    await page.keyboard.press("Escape");
  },

  async crash() {
    await meet("crash");
    await bench.squiggle().waitFor({ state: "detached" });
    await bench.squiggle().waitFor();
    seen.recovered = await bench.status("aiops: idle");
  },

  // In a folder that is not trusted: what is found by rules, and that nothing was sent is for the test to see.
  async restricted() {
    await page.locator(".squiggly-warning, .squiggly-error").first().waitFor({ timeout: 120_000 });
    seen.restricted = await bench.status("aiops:");
  },

  async missing() {
    const told = page.locator(".notification-list-item", { hasText: "aiops-lsp" }).first();
    await told.waitFor({ timeout: 120_000 });
    seen.missing = (await told.innerText()).replace(/\s+/g, " ");
    await bench.shot("missing");
    seen.missing_status = await bench.status("not installed");
    await page.keyboard.press("Escape");
  },

  async install() {
    await bench.command("aiops: Install Server for VS Code Alone");
    await bench.squiggle().waitFor({ timeout: 150_000 });
    seen.installed = await bench.status("aiops: idle");
  },
};

try {
  for (const step of STEPS.split(" ")) {
    await steps[step]();
  }
  fs.writeFileSync(OUT, JSON.stringify(seen));
} catch (error) {
  if (process.env.FAILED) await page.screenshot({ path: process.env.FAILED });
  console.error(error, JSON.stringify(seen));
  process.exitCode = 1;
}
await browser.close();
