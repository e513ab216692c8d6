import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { ApiError, notFound } from "../../host/control/api-error.ts";
import { created, empty, ok, route } from "../../host/control/route.ts";
import { person, serveRoutes } from "./support.ts";

const Thing = Type.Object({ name: Type.String({ minLength: 1, maxLength: 20 }), kind: Type.Enum(["small", "large"]), parts: Type.Optional(Type.Array(Type.Object({ size: Type.Integer() }))) });
const facts = { tag: "Things", summary: "A <thing>", answers: { 200: Thing } };
const routes = [
  route({ ...facts, method: "GET", path: "/api/v2/things", operationId: "listThings", permission: "security_monitoring_rules_read", query: Type.Object({ "page[size]": Type.Optional(Type.Integer({ maximum: 100 })), all: Type.Optional(Type.Boolean()) }) }, ({ query }) => ok(query)),
  route({ ...facts, method: "POST", path: "/api/v2/things", operationId: "createThing", permission: "security_monitoring_rules_write", body: Thing }, ({ body, audit }) => {
    audit({ action: "created", asset: { type: "thing", id: body.name }, after: body });
    return created(body);
  }),
  route({ ...facts, method: "PUT", path: "/api/v2/things/:id", operationId: "updateThing", permission: "security_monitoring_rules_write", body: Thing }, ({ body, checkMatch }) => {
    checkMatch(3);
    return ok(body, 4);
  }),
  route({ ...facts, method: "DELETE", path: "/api/v2/things/:id", operationId: "deleteThing", permission: "security_monitoring_rules_write", errors: "objects", answers: { 204: undefined } }, ({ params }) => {
    if (params.id === "odd") throw new Error("a fault of ours with a secret in it");
    if (params.id !== "one") throw new ApiError(404, "no such thing");
    return empty;
  }),
  route({ ...facts, method: "GET", path: "/api/v2/open", operationId: "open", permission: "anyone" }, () => ok({})),
  route({ ...facts, method: "PUT", path: "/api/v2/parts/:id", operationId: "putPart", permission: "known", bytes: { type: "text/csv", most: 1000 } }, ({ body }) => ok({ bytes: (body as Buffer).length })),
];
const thing = { name: "one", kind: "small" };
const reader = person("reader", ["security_monitoring_rules_read"]);

describe("the door", () => {
  test("says 401 without a key, 403 with a bad one or without the permission, and tells nothing more", async () => {
    const { ask } = await serveRoutes(routes, [person("admin"), reader]);
    expect((await ask("GET", "/api/v2/things", undefined, "")).status).toBe(401);
    expect(await ask("GET", "/api/v2/things", undefined, "nobody")).toMatchObject({ status: 403, body: { errors: ["Forbidden"] } });
    expect((await ask("GET", "/api/v2/things", undefined, "reader")).status).toBe(200);
    expect(await ask("POST", "/api/v2/things", thing, "reader")).toMatchObject({ status: 403, body: { errors: ["Forbidden"] } });
    expect((await ask("GET", "/api/v2/open", undefined, "")).status).toBe(200);
  });

  test("refuses pages of other sites, and bodies that a form could send", async () => {
    const { ask, url } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("POST", "/api/v2/things", thing, "admin", { origin: "https://evil.example" })).status).toBe(403);
    expect((await ask("POST", "/api/v2/things", thing, "admin", { origin: "null" })).status).toBe(403);
    expect((await ask("POST", "/api/v2/things", thing, "admin", { origin: url })).status).toBe(201);
    expect((await ask("POST", "/api/v2/things", JSON.stringify(thing), "admin", { "content-type": "text/plain" })).status).toBe(415);
  });

  test("counts requests of a key, says how many are left, and 429 beyond", async () => {
    const { ask } = await serveRoutes(routes, [person("admin"), reader], { perMinute: 3, nowMs: () => 1_000_000 });
    const first = await ask("GET", "/api/v2/things");
    expect(Object.fromEntries(["limit", "period", "remaining"].map((name) => [name, first.headers.get(`x-ratelimit-${name}`)]))).toEqual({ limit: "3", period: "60", remaining: "2" });
    await ask("GET", "/api/v2/things");
    await ask("GET", "/api/v2/things");
    const over = await ask("GET", "/api/v2/things");
    expect(over.status).toBe(429);
    expect(Number(over.headers.get("x-ratelimit-reset"))).toBeGreaterThan(0);
    expect((await ask("GET", "/api/v2/things", undefined, "reader")).status).toBe(200);
  });

  test("somebody who guesses keys is slowed down, and holds up nobody else's key", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")], { nowMs: () => 1_000_000 });
    const statuses = new Set<number>();
    for (let i = 0; i < 130; i++) statuses.add((await ask("GET", "/api/v2/things", undefined, `guess-${i}`)).status);
    expect([...statuses].sort()).toEqual([403, 429]);
    expect((await ask("GET", "/api/v2/things")).status).toBe(200);
  });
});

describe("what is read", () => {
  test("every fault of a body comes back at once, each with its place", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")]);
    const { status, body } = await ask("POST", "/api/v2/things", { name: "", kind: "huge", parts: [{ size: 1 }, { size: "2" }] });
    expect(status).toBe(400);
    expect(body.errors).toHaveLength(3);
    expect(body.errors).toContain("kind: must be one of small, large");
    expect(body.error.details.map(({ target }: { target: string }) => target).sort()).toEqual(["kind", "name", "parts[1].size"]);
  });

  test("unknown members are kept, gzip is unpacked, and packed bombs are not", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")], { bodyBytes: 10_000 });
    expect((await ask("POST", "/api/v2/things", { ...thing, extra: [1] })).body).toEqual({ ...thing, extra: [1] });
    expect((await ask("POST", "/api/v2/things", gzipSync(JSON.stringify(thing)), "admin", { "content-encoding": "gzip" })).status).toBe(201);
    expect((await ask("POST", "/api/v2/things", gzipSync(Buffer.alloc(1_000_000, 32)), "admin", { "content-encoding": "gzip" })).status).toBe(413);
    expect((await ask("POST", "/api/v2/things", Buffer.alloc(20_000, 32))).status).toBe(413);
    expect((await ask("POST", "/api/v2/things", "not packed", "admin", { "content-encoding": "gzip" })).status).toBe(400);
    expect((await ask("POST", "/api/v2/things", "x", "admin", { "content-encoding": "br" })).status).toBe(415);
  });

  test.each([["no JSON", "{"], ["too deep", `${"[".repeat(100)}${"]".repeat(100)}`], ["another object's roots", '{"__proto__": {"a": 1}, "name": "one", "kind": "small"}'], ["nothing", ""]])("a body that is %s is 400", async (_what, body) => {
    const { ask } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("POST", "/api/v2/things", body)).status).toBe(400);
  });

  test("queries are numbers and flags where the schema wants them, and 400 where they are not", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("GET", "/api/v2/things?page[size]=7&all=true")).body).toEqual({ "page[size]": 7, all: true });
    expect((await ask("GET", "/api/v2/things?page[size]=many")).body.errors).toEqual(["query.page[size]: must be integer"]);
    expect((await ask("GET", "/api/v2/things?page[size]=101")).status).toBe(400);
  });

  test("bytes come as they are, up to their own limit", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("PUT", "/api/v2/parts/1", "a,b\n1,2\n", "admin", { "content-type": "text/csv" })).body).toEqual({ bytes: 8 });
    expect((await ask("PUT", "/api/v2/parts/1", "x".repeat(1001), "admin", { "content-type": "text/csv" })).status).toBe(413);
  });
});

describe("[AP-09] bodies that are to take the memory", () => {
  const name = route({ tag: "T", permission: "anyone", method: "POST", path: "/api/v2/open", operationId: "open", summary: "Open", body: Type.Object({}), answers: { 200: undefined } }, () => ok({}));
  let admitted = 0;
  const put = route({
    tag: "T", permission: "anyone", method: "PUT", path: "/api/v2/put/:id", operationId: "put", summary: "Put", bytes: { type: "text/csv", most: 20 * 1024 * 1024 }, answers: { 200: undefined },
    admits: ({ params, query }) => {
      if (params.id !== "known" || query.token !== "good") throw notFound();
      admitted++;
    },
  }, (call) => ok({ bytes: (call.body as Buffer).length }));
  const listed = route({ tag: "T", permission: "known", method: "POST", path: "/api/v2/listed", operationId: "listed", summary: "Listed", body: Type.Object({ list: Type.Array(Type.String(), { maxItems: 100 }) }), answers: { 200: undefined } }, () => ok({}));

  test("of strangers only small ones are read, and at an address that lets nobody in none is waited for", async () => {
    const { ask, url } = await serveRoutes([name, put], []);
    expect((await ask("POST", "/api/v2/open", JSON.stringify({ text: "a".repeat(70_000) }), "")).status).toBe(413);
    expect((await ask("PUT", "/api/v2/put/known?token=good", Buffer.alloc(9 * 1024 * 1024), "", { "content-type": "text/csv" })).body).toEqual({ bytes: 9 * 1024 * 1024 });
    // Its body never comes.
    const first = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write("PUT /api/v2/put/known?token=bad HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 20000000\r\n\r\n"));
      socket.once("data", (data) => {
        resolve(String(data).split("\r\n")[0]!);
        socket.destroy();
      });
    });
    expect([first, admitted]).toEqual(["HTTP/1.1 404 Not Found", 1]);
  });

  test("of one asker there is room for so many at a time, and it is given back", async () => {
    const large = route({ tag: "T", permission: "known", method: "POST", path: "/api/v2/large", operationId: "large", summary: "Large", bytes: { type: "text/csv", most: 20 * 1024 * 1024 }, answers: { 200: undefined } }, () => ok({}));
    const { ask, url } = await serveRoutes([large], [person("amy"), person("zed")]);
    const sockets = await Promise.all(Array.from({ length: 3 }, () => new Promise<Socket>((resolve) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write("POST /api/v2/large HTTP/1.1\r\nHost: x\r\nDD-APPLICATION-KEY: amy\r\nContent-Type: text/csv\r\nContent-Length: 20000000\r\n\r\nx", () => resolve(socket)));
    })));
    const send = (as: string): Promise<{ readonly status: number }> => ask("POST", "/api/v2/large", Buffer.alloc(10 * 1024 * 1024), as, { "content-type": "text/csv" });
    await expect.poll(async () => (await send("amy")).status).toBe(429);
    expect((await send("zed")).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await send("amy")).status).toBe(200);
  });

  test("of a list with a million faults the first are told", async () => {
    const { ask } = await serveRoutes([listed], [person("amy")]);
    const { status, body } = await ask("POST", "/api/v2/listed", JSON.stringify({ list: Array.from({ length: 1_000_000 }, () => 1) }));
    expect([status, body.errors[0]]).toEqual([400, "list[0]: must be string"]);
    expect((await ask("POST", "/api/v2/listed", { list: Array.from({ length: 5000 }, () => "a") })).body.errors).toEqual(["list: must not have more than 100 items"]);
  });
});

describe("what is answered", () => {
  test("versions are ETags, and a change of another version is 412", async () => {
    const { ask } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("PUT", "/api/v2/things/one", thing)).headers.get("etag")).toBe('"4"');
    expect((await ask("PUT", "/api/v2/things/one", thing, "admin", { "if-match": '"3"' })).status).toBe(200);
    expect((await ask("PUT", "/api/v2/things/one", thing, "admin", { "if-match": '"2"' })).status).toBe(412);
  });

  test("refusals are in the form of the call, and a fault of ours says nothing of itself", async () => {
    const { ask, faults } = await serveRoutes(routes, [person("admin")]);
    expect((await ask("DELETE", "/api/v2/things/one")).status).toBe(204);
    expect((await ask("DELETE", "/api/v2/things/two")).body).toEqual({ errors: [{ status: "404", title: "Not Found", detail: "no such thing" }] });
    const fault = await ask("DELETE", "/api/v2/things/odd");
    expect(fault.status).toBe(500);
    expect(fault.text).not.toContain("secret");
    expect(faults).toHaveLength(1);
    expect(await ask("GET", "/api/v2/nothing")).toMatchObject({ status: 404, body: { errors: ["Not found"] } });
  });

  test("what is done is written down with who did it", async () => {
    const { ask, trail } = await serveRoutes(routes, [person("admin")]);
    await ask("POST", "/api/v2/things", thing);
    expect(trail).toMatchObject([{ who: { name: "admin" }, entry: { action: "created", asset: { type: "thing", id: "one" }, after: thing } }]);
  });
});

describe("the document", () => {
  test("holds every route with its schema, its permission and its refusals; the page shows it without a script", async () => {
    const { ask, api } = await serveRoutes(routes, [person("admin")]);
    const { body } = await ask("GET", "/openapi.json", undefined, "");
    expect(Object.entries(body.paths).flatMap(([path, methods]) => Object.keys(methods as object).map((method) => `${method} ${path}`)).sort()).toEqual(routes.map(({ method, path }) => `${method.toLowerCase()} ${path.replace(":id", "{id}")}`).sort());
    expect(body.paths["/api/v2/things"].post).toMatchObject({ operationId: "createThing", "x-permission": "security_monitoring_rules_write", requestBody: { content: { "application/json": { schema: { required: ["name", "kind"] } } } } });
    expect(Object.keys(body.paths["/api/v2/things"].post.responses)).toEqual(expect.arrayContaining(["200", "400", "401", "403", "429"]));
    expect(body.paths["/api/v2/open"].get.security).toEqual([]);
    const page = await ask("GET", "/docs", undefined, "");
    expect(page.text).toContain("A &lt;thing&gt;");
    expect(page.text).not.toContain("<script");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(api.owns("/api/v2/things/one")).toBe(true);
    expect(api.owns("/api/v2/logs")).toBe(false);
  });
});
