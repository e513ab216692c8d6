import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Route } from "../../../host/control/route.ts";
import { allPermissions } from "../../../host/control/permission.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore } from "../../../host/store/keys.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore } from "../../../host/store/people.ts";
import type { VespidServer } from "../../../host/serve/server.ts";
import { serverFolder, TestRules } from "../../serve/support.ts";
import type { Headed } from "./support.ts";

/** Routes that ask nobody who they are; whoever adds one thinks twice. Parts of an upload come by an address that is itself the secret. */
const OPEN = ["GET /api/v2/login", "POST /api/v2/login", "PUT /api/v2/reference-tables/uploads/:upload_id/parts/:part"];
/** Routes for everybody who is known: what one is, has or wrote oneself, and who else there is. */
const KNOWN = /^(?:GET \/api\/v2\/(?:users|roles|permissions|current_user|session)|\w+ \/api\/v2\/current_user\/|POST \/api\/v2\/logout)/;

/** Historical jobs show what rules say, so they ask for it beside their own permission. */
const ALSO = ["security_monitoring_rules_read"];

const folder = serverFolder();
let server: VespidServer;
let sql: SqlDriver;
let routes: readonly Route[];
let apiKey: string;

describe("every route of a whole server", () => {
  beforeAll(async () => {
    server = await folder.start(new TestRules([]), { keysRequired: true });
    ({ routes } = server.control.api);
    sql = SqlDriver.open(`${folder.path}/data/vespid.db`, migrations);
    apiKey = new KeyStore(sql).create("api", "walker", 0).key;
  });
  afterAll(() => sql.close());

  let asked = 0;
  /** From many addresses: one that shows no good key is soon not listened to any more. */
  const ask = ({ method, path }: Route, headers: Headed): Promise<{ readonly status: number; readonly text: string }> => new Promise((resolve, reject) => {
    const one = request({ host: "127.0.0.1", localAddress: `127.0.0.${2 + (asked++ % 200)}`, port: server.address.port, method, path: path.replaceAll(/:\w+/g, "walk-id"), headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve({ status: answer.statusCode!, text: Buffer.concat(parts).toString("utf8") }));
    });
    one.on("error", reject);
    one.end();
  });
  /** An application key of somebody new who may just this. */
  const may = (name: string, permissions: readonly string[]): Headed => {
    const people = new PeopleStore(sql);
    const user = people.addUser({ email: `${name}@example.com`, name }, 0);
    people.giveRole(user.id, people.addRole(name, permissions, 0).id);
    return { "dd-api-key": apiKey, "dd-application-key": new KeyStore(sql).create("application", name, 0, { ownerId: user.id }).key };
  };
  const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

  // One test: the server of a file is closed behind each.
  test("[RB-02] [RB-05] [IN-05] names its permission, answers 401 without keys, 403 with bad ones, 403 to whoever has every other permission, and to the others no 401 or 403", async () => {
    const guarded = routes.filter(({ permission }) => permission !== "anyone");
    expect(routes.filter(({ permission }) => permission === "anyone").map(nameOf).sort()).toEqual(OPEN);
    expect(routes.filter(({ permission }) => permission === "known").map(nameOf).filter((name) => !KNOWN.test(name) && !/audit|views/.test(name))).toEqual([]);
    expect(routes.flatMap(({ permission }) => [permission].flat()).filter((name) => name !== "known" && name !== "anyone" && !allPermissions.has(name))).toEqual([]);
    expect(new Set(routes.map(({ operationId }) => operationId)).size).toBe(routes.length);

    const odd: string[] = [];
    const sets = new Map<string, { readonly other: Headed; readonly just: Headed }>();
    for (const each of guarded) {
      const without = await ask(each, {});
      if (without.status !== 401) odd.push(`${nameOf(each)} without keys: ${without.status}`);
      const bad = await ask(each, { "dd-api-key": apiKey, "dd-application-key": "0".repeat(40) });
      if (bad.status !== 403) odd.push(`${nameOf(each)} with a bad key: ${bad.status}`);
      if (each.permission === "known") continue;
      const names = [each.permission].flat() as string[];
      let people = sets.get(names.join());
      if (!people) sets.set(names.join(), (people = { other: may(`all but ${names.join(" ")}`, [...allPermissions].filter((name) => !names.includes(name))), just: may(`just the first of ${names.join(" ")}`, [names[0]!, ...ALSO]) }));
      const other = await ask(each, people.other);
      if (other.status !== 403 || other.text !== JSON.stringify(each.errors === "error" ? { error: { code: "PermissionDenied", message: "Forbidden", details: [] } } : each.errors === "objects" ? { errors: [{ status: "403", title: "Forbidden", detail: "Forbidden" }] } : { errors: ["Forbidden"] })) odd.push(`${nameOf(each)} with every other permission: ${other.status} ${other.text}`);
      const just = await ask(each, people.just);
      if (just.status === 401 || (just.status === 403 && just.text.includes("Forbidden"))) odd.push(`${nameOf(each)} with its permission: ${just.status} ${just.text}`);
    }
    expect(odd).toEqual([]);
    expect(guarded.length).toBeGreaterThan(40);
    expect(guarded.filter(({ permission }) => permission === "security_monitoring_signals_write").map(({ method }) => method)).not.toContain("GET");
    // What changes signals is writing, whoever registered it.
    expect(guarded.filter(({ method, path, permission }) => method !== "GET" && /\/signals\/(?!search|notification)/.test(path) && /(?:state|assignee|incidents|bulk)/.test(path) && permission !== "security_monitoring_signals_write").map(nameOf)).toEqual([]);
    const validate = async (headers: Headed): Promise<number> => (await fetch(`http://127.0.0.1:${server.address.port}/api/v1/validate`, { headers })).status;
    await server.keys.refresh();
    expect([await validate({ "dd-api-key": apiKey }), await validate({ "dd-api-key": "x" }), await validate({})]).toEqual([200, 403, 401]);
  });
});
