import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileDashboards } from "../../../host/control/dashboards/files.ts";
import { shownWidget } from "../../../host/control/dashboards/shown.ts";
import { filledIn } from "../../../host/control/dashboards/variables.ts";
import { contentFolder, packPipelines } from "../../../host/packs.ts";
import type { VespidServer } from "../../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "../../serve/support.ts";
import { person } from "../support.ts";

async function call(server: VespidServer, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

describe("dashboards that come along", () => {
  const folder = serverFolder();

  test("each is whole, and its file in the content folder is listed", () => {
    const files = globSync(["dashboards/*.json", "*/dashboard.json"], { cwd: contentFolder() });
    expect(fileDashboards()).toHaveLength(files.length);
    expect(new Set(fileDashboards().map(({ id }) => id)).size).toBe(files.length);
    for (const { title, widgets } of fileDashboards()) expect([title !== "", widgets.length > 4]).toEqual([true, true]);
    expect(fileDashboards().flatMap(({ pack }) => pack ?? [])).toEqual(expect.arrayContaining(["cloudtrail", "linux-auth"]));
  });

  test("[CP-01] that of a pack is listed while the pack is enabled, and shows its logs", async () => {
    const server = await folder.start(new TestRules([], { pipelines: await packPipelines(["linux-auth"]) }), { data: join(folder.path, "pack") });
    const titles = async (): Promise<string[]> => (await call(server, "GET", "/api/v1/dashboard")).body.dashboards.map(({ title }: any) => title);
    expect(await titles()).toEqual(["Security Operations Overview"]);
    expect((await call(server, "GET", "/api/v1/dashboard/pack-linux-auth")).status).toBe(404);
    expect((await call(server, "PUT", "/api/v2/security_monitoring/content_packs/linux-auth/activate")).status).toBe(204);
    expect(await titles()).toEqual(["Security Operations Overview", "Linux sign-ins"]);
    const [, day, month, , time] = new Date().toUTCString().split(" ");
    const line = (text: string): unknown => ({ ddsource: "auth", hostname: "bastion", message: `${month} ${day!.replace(/^0/, " ")} ${time} bastion sshd[4102]: ${text}` });
    await send(server, [line("Failed password for root from 192.0.2.10 port 40024 ssh2"), line("Failed password for invalid user oracle from 192.0.2.10 port 40022 ssh2"), line("Accepted password for mina from 192.0.2.11 port 40026 ssh2")]);
    const { body } = await call(server, "GET", "/api/v1/dashboard/pack-linux-auth");
    expect(body).toMatchObject({ is_default: true, is_read_only: true, pack: "linux-auth" });
    const { widgets } = (await call(server, "POST", "/api/v2/dashboards/widgets/query", { data: { attributes: { from: "now-1h", to: "now+1m", widgets: body.widgets } } })).body.data.attributes;
    const shown = (title: string): any => widgets[body.widgets.findIndex(({ definition }: any) => definition.title === title)].shown;
    expect(shown("Failures").value).toBe(2);
    expect(shown("Users of failures").rows.map(({ name, values }: any) => [name, ...values])).toEqual([["oracle", 1], ["root", 1]]);
    expect(shown("Addresses of failures").rows.map(({ name, values }: any) => [name, ...values])).toEqual([["192.0.2.10", 2]]);
    expect(shown("Hosts").rows.map(({ name, values }: any) => [name, ...values])).toEqual([["bastion", 3]]);
    expect(widgets.every(({ shown: { kind } }: any) => kind !== "error")).toBe(true);
    await call(server, "PUT", "/api/v2/security_monitoring/content_packs/linux-auth/deactivate");
    expect(await titles()).toEqual(["Security Operations Overview"]);
    expect(folder.faults).toEqual([]);
  });

  test("[CP-01] attributes that the CloudTrail dashboard counts by are attributes its pack's events have", () => {
    const golden = readFileSync(join(contentFolder(), "cloudtrail", "golden", globSync("*.json", { cwd: join(contentFolder(), "cloudtrail", "golden") })[0]!), "utf8");
    const { widgets } = fileDashboards().find(({ pack }) => pack === "cloudtrail")!;
    const paths = widgets.flatMap(({ definition }) => (definition.requests ?? []).flatMap(({ q }) => [...(q ?? "").matchAll(/@([\w.]+)/g)].map(([, path]) => path!)));
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) expect(golden, path).toContain(`"${path.split(".").at(-1)!}"`);
  });
});

describe("parts of a dashboard", () => {
  const variables = [{ name: "env", prefix: "env", defaults: ["prod"] }, { name: "user", prefix: null, default: "*" }];
  test.each([
    ["count:logs{$env}", {}, 'count:logs{env:"prod"}'],
    ["count:logs{$env,$user}", { env: "*" }, "count:logs{*,*}"],
    ["count:logs{e:$env.value x:$env.valued}", { env: 'a"b' }, 'count:logs{e:"a\\"b" x:env:"a\\"b".valued}'],
    ["count:logs{$other $env_2}", {}, "count:logs{$other $env_2}"],
    ["count:logs{$env}", { env: "__proto__", constructor: "x" }, 'count:logs{env:"__proto__"}'],
  ])("%s with %j is %s", (query, chosen, expected) => expect(filledIn(query, variables, chosen as unknown as Record<string, string>)).toBe(expected));

  test("a fault of ours is no widget's error", async () => {
    const context = { signalSearch: { scalar: () => Promise.reject(new TypeError("ours")) } } as never;
    const setup = { context, principal: person("ann"), span: { fromMs: 0, toMs: 1 }, nowMs: 1, variables: [], values: {} };
    await expect(shownWidget({ type: "query_value", requests: [{ q: "count:security_signal" }] }, setup)).rejects.toThrow("ours");
  });
});
