import type { QueryNode } from "../query/tree.ts";
import type { Permission } from "./permission.ts";

export type AuthMethod = "API + App Key" | "SESSION" | "CLI" | "NONE";

/** Who asks, and what they may. */
export interface Principal {
  /** UUID. */
  readonly userId: string;
  /** How others write to them: their address, as a rule. */
  readonly handle: string;
  readonly name: string;
  readonly email: string;
  readonly authMethod: AuthMethod;
  readonly apiKeyId?: string;
  readonly applicationKeyId?: string;
  /** Of all roles together, cut down to the scopes of the key that was used. */
  readonly permissions: ReadonlySet<Permission>;
  /** Logs and signals are seen where one of these matches; undefined: all of them. */
  readonly restriction?: readonly QueryNode[];
}

/** The `SMUser` and `RuleUser` of answers. */
export function userFacts({ handle, name }: Pick<Principal, "handle" | "name">): { readonly handle: string; readonly name: string } {
  return { handle, name };
}
