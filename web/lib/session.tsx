import { createContext, useContext } from "react";
import { call, get, keepToken } from "./api.ts";

export interface Session {
  readonly user: { readonly id: string; readonly handle: string; readonly name: string; readonly email: string };
  readonly permissions: readonly string[];
  readonly auth_method: string;
  readonly csrf_token: string | null;
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("a page without a session");
  return session;
}

/** Buttons for what somebody may not do are not shown; the server refuses it anyway. */
export function useMay(permission: string): boolean {
  return useSession().permissions.includes(permission);
}

function kept(session: Session): Session {
  keepToken(session.csrf_token);
  return session;
}

export async function currentSession(): Promise<Session> {
  return kept(await get<Session>("/api/v2/session"));
}

export async function logIn(email: string, password: string): Promise<Session> {
  return kept(await call<Session>("POST", "/api/v2/login", { email, password }));
}

export async function logOut(): Promise<void> {
  await call("POST", "/api/v2/logout");
  keepToken(undefined);
}
