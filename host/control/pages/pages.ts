import { existsSync, readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { hash } from "node:crypto";

/** Where the files of the pages are asked for; everything in it but the first page has its content's hash in its name. */
const FILES = "/web/";
/** Addresses that people see: whatever stands behind them is read by the pages themselves. */
const PLACES = ["/security", "/logs", "/dashboards", "/settings", "/login"];
const HOME = "/security";
const YEAR_S = 31_536_000;

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", json: "application/json", wasm: "application/wasm", woff2: "font/woff2",
};

/** Nothing from elsewhere, no code in the page itself, in nobody's frame; what is typed goes nowhere but here. */
const policy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "font-src 'self'", "worker-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types vespid-worker",
].join("; ");

// The policies across origins together let the kernels have their shared memory in a page.
const guards: Readonly<Record<string, string>> = {
  "content-security-policy": policy, "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp", "cross-origin-resource-policy": "same-origin", "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

interface PageFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Readonly<Partial<Record<"br" | "gzip", Buffer>>>;
  readonly tag: string;
}

/** The web pages: files made when the product was built, held in memory. No path of a request is ever looked for on the disk. */
export class Pages {
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #first: PageFile;

  private constructor(files: ReadonlyMap<string, PageFile>, first: PageFile) {
    this.#files = files;
    this.#first = first;
  }

  /** Undefined where nothing was built. */
  static load(folder: string): Pages | undefined {
    if (!existsSync(join(folder, "index.html"))) return undefined;
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name).slice(folder.length + 1).replaceAll("\\", "/"));
    const read = (name: string): Buffer | undefined => (names.includes(name) ? readFileSync(join(folder, name)) : undefined);
    const files = new Map(names.filter((name) => !/\.(?:br|gz)$/.test(name)).map((name) => {
      const plain = readFileSync(join(folder, name));
      const [br, gzip] = [read(`${name}.br`), read(`${name}.gz`)];
      return [`${FILES}${name}`, { type: types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream", plain, packed: { ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) }, tag: `"${hash("sha256", plain).slice(0, 20)}"` }];
    }));
    return new Pages(files, files.get(`${FILES}index.html`)!);
  }

  /** @param accept the header: what asks for anything but a page at the very root is a shipper */
  owns(path: string, accept: string): boolean {
    return path.startsWith(FILES) || PLACES.some((place) => path === place || path.startsWith(`${place}/`)) || (path === "/" && accept.includes("text/html"));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405, { allow: "GET, HEAD" });
    if (path === "/") return end(response, 302, { location: HOME });
    const isFile = path.startsWith(FILES);
    const file = isFile ? this.#files.get(path) : this.#first;
    if (!file) return end(response, 404, {});
    const isFirst = file === this.#first;
    const headers = { ...guards, "content-type": file.type, vary: "accept-encoding", etag: file.tag, "cache-control": isFirst || !/-[\w-]{8}\.\w+$/.test(path) ? "no-cache" : `public, max-age=${YEAR_S}, immutable` };
    if (request.headers["if-none-match"] === file.tag) return end(response, 304, headers);
    const taken = String(request.headers["accept-encoding"] ?? "");
    const encoding = (["br", "gzip"] as const).find((each) => file.packed[each] && new RegExp(`\\b${each}\\b(?!\\s*;\\s*q=0(?:\\.0*)?\\b)`).test(taken));
    const bytes = encoding ? file.packed[encoding]! : file.plain;
    response.writeHead(200, { ...headers, ...(encoding ? { "content-encoding": encoding } : {}), "content-length": bytes.length });
    response.end(request.method === "HEAD" ? undefined : bytes);
  }
}

function end(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...guards, ...headers, ...(status === 304 ? {} : { "content-length": "0" }) });
  response.end();
}
