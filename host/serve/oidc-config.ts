import { isSafeAddress, type OidcSettings } from "../control/people/oidc.ts";
import { ProblemError } from "../problem.ts";
import type { ConfigReader } from "./config-reader.ts";

/** The provider as settings name it: its secret is in the environment. */
export interface OidcConfig extends Omit<OidcSettings, "clientSecret"> {
  readonly secretVariable: string | undefined;
}

const CALLBACK = "/auth/oidc/callback";

/** Undefined where no provider is named. */
export function oidcOf(oidc: ConfigReader): OidcConfig | undefined {
  const issuer = oidc.text("issuer", "");
  const clientId = oidc.text("client_id", "");
  const secretVariable = oidc.text("client_secret_env", "");
  const redirectUrl = oidc.text("redirect_url", "");
  const defaultRole = oidc.text("default_role", "");
  const allowedDomains = oidc.texts("allowed_domains").map((domain) => domain.toLowerCase().replace(/^@/, ""));
  const rolesClaim = oidc.text("roles_claim", "");
  const roles = oidc.textsByName("roles");
  if (issuer === "") {
    if (clientId !== "") oidc.problem("serve/half-oidc", "issuer", "the identity provider's address is missing", "write it as the provider does, such as https://login.example.com");
    return undefined;
  }
  if (!isSafeAddress(issuer)) oidc.problem("serve/bad-url", "issuer", `${issuer} is no https address`, "write it as the provider does, such as https://login.example.com");
  if (clientId === "") oidc.problem("serve/half-oidc", "client_id", "the name under which the provider knows this server is missing", "register it at the provider, and write its client id");
  if (!isSafeAddress(redirectUrl) || new URL(redirectUrl).pathname !== CALLBACK) oidc.problem("serve/bad-url", "redirect_url", redirectUrl === "" ? "where the provider leads back to is missing" : `the provider would lead back to ${redirectUrl}, where nobody answers it`, `write https://, the name people know this server by, and ${CALLBACK}`);
  if (defaultRole !== "" && !allowedDomains.length) oidc.problem("serve/half-oidc", "allowed_domains", "with a default role everybody the provider knows comes in", "name the domains of addresses that are yours");
  return { issuer, clientId, secretVariable: secretVariable || undefined, redirectUrl, allowedDomains, roles, ...(defaultRole === "" ? {} : { defaultRole }), ...(rolesClaim === "" ? {} : { rolesClaim }) };
}

/** With its secret. Throws a `ProblemError` when the environment has none. */
export function oidcSettings({ secretVariable, ...oidc }: OidcConfig): OidcSettings {
  if (secretVariable === undefined) return oidc;
  const clientSecret = process.env[secretVariable];
  if (!clientSecret) throw new ProblemError([{ code: "serve/no-oidc-secret", message: `the environment has no ${secretVariable}, which holds the secret for ${oidc.issuer}`, hint: `start it with ${secretVariable}=..., or leave oidc.client_secret_env out`, place: "oidc.client_secret_env" }]);
  return { ...oidc, clientSecret };
}
