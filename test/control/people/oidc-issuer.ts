import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
export type Algorithm = "RS256" | "ES256";

export interface Grant {
  readonly nonce: string;
  readonly challenge: string;
}

/** An identity provider on a port of its own, as strict as it should be, whose tokens a test may spoil. */
export class Issuer {
  readonly clientId = "vespid";
  readonly clientSecret: string | undefined;
  url = "";
  /** Of who is logged in there. */
  claims: JWTPayload = { sub: "ann-1", email: "ann@example.com", email_verified: true, name: "Ann" };
  /** Takes the place of the token that a code is worth. */
  tokenOf: ((grant: Grant) => Promise<string | undefined>) | undefined;
  /** Changes what the document says. */
  document: Record<string, unknown> = {};
  status = 200;
  readonly #server: Server;
  readonly #grants = new Map<string, Grant>();
  readonly #keys = new Map<Algorithm, { readonly privateKey: SigningKey; readonly publicJwk: JWK }>();
  #codes = 0;
  /** Requests for keys. */
  keyReads = 0;

  private constructor(clientSecret: string | undefined) {
    this.clientSecret = clientSecret;
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
    });
  }

  /** @param clientSecret null: its client is public */
  static async start(clientSecret: string | null = "secret of/ours"): Promise<Issuer> {
    const issuer = new Issuer(clientSecret ?? undefined);
    for (const algorithm of ["RS256", "ES256"] as const) {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
      issuer.#keys.set(algorithm, { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: "sig" } });
    }
    await new Promise<void>((done) => issuer.#server.listen(0, "127.0.0.1", done));
    issuer.url = `http://127.0.0.1:${(issuer.#server.address() as AddressInfo).port}`;
    return issuer;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  publicJwk(algorithm: Algorithm): JWK {
    return this.#keys.get(algorithm)!.publicJwk;
  }

  async signed(claims: JWTPayload, algorithm: Algorithm = "RS256", key: SigningKey = this.#keys.get(algorithm)!.privateKey): Promise<string> {
    return await new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: algorithm }).sign(key);
  }

  /** Everything a good token has. */
  standard(nonce: string, nowMs = Date.now()): JWTPayload {
    const now = Math.floor(nowMs / 1000);
    return { iss: this.url, aud: this.clientId, iat: now, exp: now + 300, nonce, ...this.claims };
  }

  /** Somebody logs in there: the query with which the browser is led back. */
  login(location: string): URLSearchParams {
    const query = new URL(location).searchParams;
    const code = `code-${++this.#codes}`;
    this.#grants.set(code, { nonce: query.get("nonce")!, challenge: query.get("code_challenge")! });
    return new URLSearchParams({ code, state: query.get("state")!, iss: this.url });
  }

  async #answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: unknown }> {
    if (request.url === "/.well-known/openid-configuration") {
      return { status: this.status, body: { issuer: this.url, authorization_endpoint: `${this.url}/authorize`, token_endpoint: `${this.url}/token`, jwks_uri: `${this.url}/keys`, ...this.document } };
    }
    if (request.url === "/keys") {
      this.keyReads++;
      return { status: 200, body: { keys: [...this.#keys.values()].map(({ publicJwk }) => publicJwk) } };
    }
    return request.url === "/token" ? await this.#token(request) : { status: 404, body: {} };
  }

  async #token(request: IncomingMessage): Promise<{ readonly status: number; readonly body: unknown }> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const form = new URLSearchParams(Buffer.concat(parts).toString("utf8"));
    const grant = this.#grants.get(form.get("code") ?? "");
    this.#grants.delete(form.get("code") ?? "");
    const wanted = this.clientSecret === undefined ? undefined : `Basic ${Buffer.from(`${this.clientId}:${encodeURIComponent(this.clientSecret).replaceAll("%20", "+")}`).toString("base64")}`;
    const isClient = wanted === undefined ? form.get("client_id") === this.clientId : request.headers.authorization === wanted;
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    if (!grant || !isClient || challenge !== grant.challenge || form.get("grant_type") !== "authorization_code") return { status: 400, body: { error: "invalid_grant" } };
    return { status: 200, body: { id_token: this.tokenOf ? await this.tokenOf(grant) : await this.signed(this.standard(grant.nonce)), token_type: "Bearer" } };
  }
}
