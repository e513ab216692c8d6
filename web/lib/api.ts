/** What the server refused, in its own words. */
export class ApiFault extends Error {
  readonly status: number;
  readonly texts: readonly string[];

  constructor(status: number, texts: readonly string[]) {
    super(texts.join("; ") || `the server answered ${status}`);
    this.status = status;
    this.texts = texts;
  }
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

let csrfToken: string | undefined;
let onStranger: () => void = () => {};

/** What changes bring along to show that they come from these pages. */
export function keepToken(token: string | null | undefined): void {
  csrfToken = token ?? undefined;
}

/** Called when the server does not know the caller (any more). */
export function whenStranger(told: () => void): void {
  onStranger = told;
}

async function ask(method: Method, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrfToken !== undefined && method !== "GET") headers["x-csrf-token"] = csrfToken;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, credentials: "same-origin", ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}) });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiFault(0, ["the server does not answer"]);
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== "/api/v2/login") onStranger();
  throw new ApiFault(answer.status, faultTexts(await answer.text()));
}

/** JSON of the server's API; undefined where it answers nothing. Rejects with an `ApiFault`. */
export async function call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const text = await (await ask(method, path, body, signal)).text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> => call<T>("POST", path, body, signal);

/** Saves what the server answers as a file. */
export async function download(method: Method, path: string, body: unknown, fileName: string): Promise<void> {
  const address = URL.createObjectURL(await (await ask(method, path, body, undefined)).blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** The API refuses in texts, or in objects that have a title or a detail. */
function faultTexts(text: string): string[] {
  try {
    const { errors } = JSON.parse(text) as { readonly errors?: ReadonlyArray<string | { readonly title?: string; readonly detail?: string }> };
    return (errors ?? []).map((each) => (typeof each === "string" ? each : [each.title, each.detail].filter(Boolean).join(": ")));
  } catch {
    return [];
  }
}
