import { type Problem, ProblemError } from "../problem.ts";

/** Bodies of refusals that Datadog's clients read: most calls, newer rule calls, and jobs, tables and indicators (rule-api spec 1). */
export type ErrorForm = "texts" | "error" | "objects";

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  /** JSON path such as `cases[0].condition`. */
  readonly target: string;
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 412: "Precondition Failed",
  413: "Payload Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
};

/** A refusal: its status, and everything that is wrong in one go. */
export class ApiError extends Error {
  readonly status: number;
  readonly texts: readonly string[];
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, texts: string | readonly string[], more: { readonly code?: string; readonly details?: readonly ErrorDetail[]; readonly headers?: Readonly<Record<string, string>> } = {}) {
    const list = typeof texts === "string" ? [texts] : texts;
    super(list.join("; "));
    this.name = "ApiError";
    this.status = status;
    this.texts = list;
    this.code = more.code ?? (status === 404 ? "NotFound" : status === 409 ? "AlreadyExists" : status === 403 ? "PermissionDenied" : status >= 500 ? "Internal" : "InvalidArgument");
    this.details = more.details ?? [];
    this.headers = more.headers ?? {};
  }

  /** Body in one of the forms; what has details says them in the second form too. */
  body(form: ErrorForm): Record<string, unknown> {
    const [first = titles[this.status] ?? "error"] = this.texts;
    const error = { code: this.code, message: first, details: this.details };
    if (form === "objects") return { errors: this.texts.map((detail) => ({ status: String(this.status), title: titles[this.status] ?? "Error", detail })) };
    if (form === "error") return { error };
    return this.details.length ? { errors: this.texts, error } : { errors: this.texts };
  }
}

export const notFound = (text = "Not found"): ApiError => new ApiError(404, text);
export const badRequest = (...texts: readonly string[]): ApiError => new ApiError(400, texts);

/** What a reader of ours found wrong, as an answer; warnings are not among it. */
export function problemsError(problems: readonly Problem[], title?: string, status = 400): ApiError {
  const errors = problems.filter(({ level }) => level !== "warning");
  const lines = errors.map(({ place, message, hint }) => `${place ? `${place}: ` : ""}${message}${hint ? `; ${hint}` : ""}`);
  return new ApiError(status, title === undefined ? lines : [title, ...lines], { details: errors.map(({ code, message, hint, place }) => ({ code, message: hint ? `${message}; ${hint}` : message, target: place ?? "" })) });
}

/** As an answer, whatever was thrown; undefined for what is a fault of ours. */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  return error instanceof ProblemError ? problemsError(error.problems) : undefined;
}
