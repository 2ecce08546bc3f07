import type { Operator } from "./test-bed/operator";

/**
 * Opens a page in headless Chromium on the operator's machine, waits until it shows some words, and takes a screenshot.
 * @returns the page's text
 * @throws when the words do not appear within 30 s
 */
export async function screenshot(
  operator: Operator,
  url: string,
  file: string,
  words: readonly string[],
): Promise<string> {
  const { stdout } = await operator.run("node", ["-e", SCRIPT, url, file, ...words], { cwd: __dirname });
  return stdout;
}

/** Runs in the operator's network, in a separate process. */
const SCRIPT = `
const { chromium } = require("playwright-core");
const [url, file, ...words] = process.argv.slice(1);
(async () => {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 } });
    await page.goto(url);
    for (const word of words) await page.getByText(word, { exact: true }).first().waitFor({ timeout: 30000 });
    await page.screenshot({ path: file });
    console.log(await page.innerText("body"));
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error); process.exitCode = 1; });
`;
