import { get } from "../lib/api.ts";

export interface User {
  readonly id: string;
  readonly attributes: { readonly email: string; readonly name: string; readonly disabled: boolean; readonly last_login_time?: string };
  readonly relationships: { readonly roles: { readonly data: ReadonlyArray<{ readonly id: string }> } };
}

export interface Role {
  readonly id: string;
  readonly attributes: { readonly name: string; readonly user_count: number; readonly managed: boolean; readonly restriction_query: string | null };
  readonly relationships: { readonly permissions: { readonly data: ReadonlyArray<{ readonly id: string }> } };
}

export interface Permission {
  readonly id: string;
  readonly attributes: { readonly name: string; readonly display_name: string; readonly description: string; readonly group_name: string };
}

export async function allRoles(signal: AbortSignal): Promise<readonly Role[]> {
  return (await get<{ readonly data: readonly Role[] }>("/api/v2/roles?page[size]=500", signal)).data;
}
