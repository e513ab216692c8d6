import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const HTML = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><b data-pwned>bold</b>`;
const BIDI = "invoice\u202egpj.exe\u2066\u200b\u0007";
const MEGABYTE = "x".repeat(900_000);

describeWeb("hostile text", { demo: false }, (world) => {
  test("HTML, scripts, direction marks, control characters and megabytes in logs and names of rules are text everywhere", async () => {
    const rule = {
      name: `${HTML} ${BIDI}`, type: "log_detection", isEnabled: true, message: `${HTML} {{@usr.id}} [link](javascript:window.pwned=1) ${BIDI}`, tags: [`evil:${"<i data-pwned>"}`],
      options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 },
      queries: [{ query: "source:hostile", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] }], cases: [{ name: HTML, status: "high", condition: "a > 0", notifications: [] }],
    };
    const { id } = await world().api<{ readonly id: string }>("POST", "/api/v2/security_monitoring/rules", rule);
    const logs: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { ddsource: "hostile", message: HTML, hostname: "<i data-pwned>host", service: BIDI, ddtags: `env:${"<u data-pwned>"}`, usr: { id: HTML }, [`<b data-pwned>key${BIDI}`]: { "__proto__x": HTML } },
      { ddsource: "hostile", message: BIDI, usr: { id: BIDI }, constructor: { name: HTML } },
      { ddsource: "hostile", message: MEGABYTE, usr: { id: "big" } },
    ];
    for (const log of logs) expect((await world().server.send([log], { "dd-api-key": world().apiKey })).status).toBe(202);
    const signals = "/api/v2/security_monitoring/signals?filter[query]=source:hostile&page[limit]=10";
    await expect.poll(async () => (await world().api<{ readonly data: readonly unknown[] }>("GET", signals)).data.length, { timeout: 20_000 }).toBeGreaterThan(1);
    const { data: found } = await world().api<{ readonly data: ReadonlyArray<{ readonly id: string }> }>("GET", signals);
    const { data: stored } = await world().api<{ readonly data: ReadonlyArray<{ readonly id: string }> }>("POST", "/api/v2/logs/events/search", { filter: { query: "source:hostile", from: "now-1d", to: "now" } });
    const opened = await world().open();
    const { page, faults, visit } = opened;
    let dialogs = 0;
    page.on("dialog", (dialog) => (dialogs++, void dialog.dismiss()));
    await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    const addresses = [
      "/security/signals?query=source%3Ahostile&cols=severity,title,message,host,service,env,entities,tags,@usr.id", "/logs?query=source%3Ahostile&from=now-1d&cols=timestamp,host,service,message,@usr.id,env", "/logs?query=source%3Ahostile&from=now-1d&view=patterns",
      ...found.flatMap(({ id: signal }) => ["what", "evidence", "entities", "playbook", "json"].map((tab) => `/security/signals/${signal}?tab=${tab}`)), ...stored.map((log) => `/logs?query=source%3Ahostile&from=now-1d&event=${log.id}`),
      `/security/rules/${id}`, "/security/rules", "/security/overview", "/security/mitre", "/security/entities",
    ];
    for (const address of addresses) {
      await visit(address);
      await page.waitForLoadState("networkidle");
      const came = await page.evaluate(() => ({ elements: document.querySelectorAll("main [data-pwned], main script, main img[src=x]").length, ran: (globalThis as { pwned?: number }).pwned, links: [...document.querySelectorAll("a")].filter((link) => !/^(?:https?:|\/|#)/.test(link.getAttribute("href") ?? "")).length, chars: document.body.innerText.length, steering: /[\u202a-\u202e\u2066-\u2069\u0007]/.test(document.body.innerText) }));
      expect(came, address).toMatchObject({ elements: 0, ran: undefined, links: 0, steering: false });
      expect(came.chars, address).toBeLessThan(200_000);
    }
    await visit("/logs?query=source%3Ahostile&from=now-1d");
    await page.getByText("invoice\\u202egpj.exe", { exact: false }).first().waitFor();
    expect(dialogs).toBe(0);
    expect(faults).toEqual([]);
    await opened.context.close();
  }, 180_000);

  test("a query of the address that cannot be read, and one that is hostile, do nothing but say so", async () => {
    const { page, faults, visit } = await world().open();
    await visit(`/security/signals?query=${encodeURIComponent(`"${HTML}`)}&sort=${encodeURIComponent(HTML)}&cols=${encodeURIComponent(HTML)}&from=${encodeURIComponent(HTML)}`);
    await page.getByRole("alert").first().waitFor();
    expect(await page.evaluate(() => (globalThis as { pwned?: number }).pwned)).toBe(undefined);
    expect(faults.filter((text) => !/400/.test(text))).toEqual([]);
    await page.context().close();
  });
});
