import { createHash } from "node:crypto";
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";

/** Where people log in instead, and what comes of them here. */
export interface OidcSettings {
  /** Exactly as the provider writes it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Ours, as the provider knows it: `https://.../auth/oidc/callback`. */
  readonly redirectUrl: string;
  /** Name of the role that somebody new gets; undefined: nobody new comes in. */
  readonly defaultRole?: string;
  /** Domains of addresses, in small letters; empty: any, which only goes without a default role. */
  readonly allowedDomains: readonly string[];
  /** Name of the claim that lists groups. */
  readonly rolesClaim?: string;
  /** Names of roles by group. */
  readonly roles: Readonly<Record<string, string>>;
}

/** A login that is refused; the text is for the person, `why` for the audit trail. */
export class OidcError extends Error {
  readonly why: string;

  constructor(why: string) {
    super("the login did not succeed");
    this.name = "OidcError";
    this.why = why;
  }
}

/** Signatures of the provider's own key pair. Not among them: none, and HMACs, for which a public key would do. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
const FETCH_MS = 5000;
const MOST_ANSWER_BYTES = 256 * 1024;
/** The provider's document is read again so often. */
const DOCUMENT_MS = 3_600_000;
/** Clocks differ; and how old a token may be, since it was made for this login. */
const CLOCK_S = 60;
const TOKEN_AGE_S = 600;

interface ProviderDocument {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly isSecretPosted: boolean;
  readonly keys: JWTVerifyGetKey;
  readonly readMs: number;
}

/** The provider's side of OpenID Connect: authorization code with PKCE. */
export class OidcProvider {
  readonly #settings: OidcSettings;
  #document: ProviderDocument | undefined;
  #reading: Promise<ProviderDocument> | undefined;

  constructor(settings: OidcSettings) {
    this.#settings = settings;
  }

  /** Where the browser is sent. Rejects with an `OidcError`. */
  async loginUrl(login: { readonly state: string; readonly nonce: string; readonly verifier: string }, nowMs: number): Promise<string> {
    const { authorizationEndpoint } = await this.#read(nowMs);
    const url = new URL(authorizationEndpoint);
    const { clientId, redirectUrl } = this.#settings;
    const challenge = createHash("sha256").update(login.verifier).digest("base64url");
    const query = { response_type: "code", client_id: clientId, redirect_uri: redirectUrl, scope: "openid email profile", state: login.state, nonce: login.nonce, code_challenge: challenge, code_challenge_method: "S256" };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Claims of the token that a code is worth, all of it checked. Rejects with an `OidcError`. */
  async claims(code: string, login: { readonly nonce: string; readonly verifier: string }, nowMs: number): Promise<JWTPayload> {
    const { tokenEndpoint, isSecretPosted, keys } = await this.#read(nowMs);
    const { clientId, clientSecret, redirectUrl, issuer } = this.#settings;
    const form = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirectUrl, code_verifier: login.verifier });
    const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    if (clientSecret !== undefined && !isSecretPosted) headers.authorization = `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString("base64")}`;
    else {
      form.set("client_id", clientId);
      if (clientSecret !== undefined) form.set("client_secret", clientSecret);
    }
    const { id_token: token } = await readJson("the token", tokenEndpoint, { method: "POST", headers, body: form.toString() });
    if (typeof token !== "string") throw new OidcError("the provider answered without an id_token");
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS, issuer, audience: clientId, clockTolerance: CLOCK_S, maxTokenAge: TOKEN_AGE_S, currentDate: new Date(nowMs), requiredClaims: ["exp", "iat", "sub", "nonce"],
      });
      if (payload.nonce !== login.nonce) throw new OidcError("the id_token is of another login: its nonce differs");
      if ((Array.isArray(payload.aud) && payload.aud.length > 1 && payload.azp === undefined) || (payload.azp !== undefined && payload.azp !== clientId)) throw new OidcError("the id_token was made for another client");
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new OidcError(`the id_token is not good: ${error.message} (${error.code})`);
      throw error instanceof OidcError ? error : new OidcError(`the provider's keys cannot be read: ${(error as Error).message}`);
    }
  }

  async #read(nowMs: number): Promise<ProviderDocument> {
    if (this.#document && nowMs - this.#document.readMs < DOCUMENT_MS) return this.#document;
    this.#reading ??= this.#fetchDocument(nowMs).finally(() => (this.#reading = undefined));
    return (this.#document = await this.#reading);
  }

  async #fetchDocument(nowMs: number): Promise<ProviderDocument> {
    const { issuer } = this.#settings;
    const document = await readJson("the provider's document", `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {});
    if (document.issuer !== issuer) throw new OidcError(`the provider calls itself ${String(document.issuer).slice(0, 200)}, not ${issuer}`);
    const endpoint = (name: string): string => {
      const text = document[name];
      if (typeof text !== "string" || !isSafeAddress(text)) throw new OidcError(`the provider's ${name} is no https address`);
      return text;
    };
    const methods = document.token_endpoint_auth_methods_supported;
    return {
      authorizationEndpoint: endpoint("authorization_endpoint"), tokenEndpoint: endpoint("token_endpoint"),
      isSecretPosted: Array.isArray(methods) && !methods.includes("client_secret_basic") && methods.includes("client_secret_post"),
      keys: createRemoteJWKSet(new URL(endpoint("jwks_uri")), { timeoutDuration: FETCH_MS }), readMs: nowMs,
    };
  }
}

/** Encrypted, or not leaving this machine. */
export function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
}

async function readJson(what: string, url: string, init: RequestInit): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answer = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(FETCH_MS) });
    const text = await limitedText(answer);
    if (!answer.ok) throw new Error(`${answer.status} ${text.slice(0, 200)}`);
    const value = JSON.parse(text) as unknown;
    if (typeof value !== "object" || value === null) throw new Error("it is no object");
    return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new OidcError(`${what} cannot be had from ${new URL(url).host}: ${(error as Error).message}`);
  }
}

async function limitedText(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_ANSWER_BYTES) throw new Error(`the answer is larger than ${MOST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** As forms write it, which is how the two halves of `Basic` are written here. */
function encoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
