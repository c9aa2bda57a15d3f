// A window of VS Code in a browser, and what a person does in it.
//
// Environment: URL_ (of VS Code's server), CHROMIUM (program), SHOTS (folder for pictures; none are made without it).
import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const PATIENCE = 60_000;

/** Open a window on `folder`. `payload` are pairs as VS Code's own address bar takes them. */
export async function openWindow(folder, payload = []) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"],
  });
  const context = await browser.newContext({ viewport: { width: 1400, height: 780 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const address = new URL(process.env.URL_ + "/");
  const remote = (file) => `vscode-remote://${address.host}${file}`;
  address.searchParams.set("folder", folder);
  const pairs = payload.map(([name, value]) => [name, value.startsWith("/") ? remote(value) : value]);
  address.searchParams.set("payload", JSON.stringify([["skipWelcome", "true"], ...pairs]));
  return { browser, page, goto: () => page.goto(address.href) };
}

export class Workbench {
  constructor(page) {
    this.page = page;
  }

  /** A picture of the window. What hangs on the mouse is in it only if the mouse is to `stay`. */
  async shot(name, { stay = false } = {}) {
    if (process.env.SHOTS) {
      if (!stay) await this.page.mouse.move(8, 300);
      await this.page.screenshot({ path: path.join(process.env.SHOTS, `${name}.png`) });
    }
  }

  /** Run a command from the palette, by its title. */
  async command(title) {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-box input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(`>${title}`);
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first();
    await row.waitFor();
    await row.click();
  }

  /** An entry of the quick pick that is open. */
  entry(text) {
    return this.page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();
  }

  line(text) {
    return this.page.locator(".view-line", { hasText: text }).first();
  }

  squiggle() {
    return this.page.locator(".squiggly-warning").first();
  }

  /** Open the status of the languages and wait until it says `text`. */
  async status(text) {
    const item = this.page.locator('.statusbar-item[id="status.languageStatus"]').first();
    const entry = this.page.locator(".hover-language-status .element", { hasText: "aiops" }).first();
    const end = Date.now() + PATIENCE;
    let seen = "nothing";
    while (Date.now() < end) {
      // It opens when the mouse comes to the item, which it may be over already, and is not drawn anew while it is open.
      await this.page.mouse.move(700, 300);
      await item.hover();
      try {
        await entry.waitFor({ timeout: 2_000 });
        seen = (await entry.innerText()).replace(/\s+/g, " ");
        if (seen.includes(text)) return seen;
      } catch (error) {
        if (error.name !== "TimeoutError") throw error;
      }
      await this.page.waitForTimeout(200);
    }
    throw new Error(`the status did not say ${text}; the last was: ${seen}`);
  }
}
