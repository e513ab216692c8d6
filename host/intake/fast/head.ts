/** A head of the shape that is served here, as far as it matters. */
export interface SimpleHead {
  readonly path: string;
  /** Behind the question mark; empty when there is none. */
  readonly query: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  /** Bytes of the head, with the blank line. */
  readonly headBytes: number;
}

/** More to come, or not for us. */
export type HeadOutcome = SimpleHead | "unfinished" | "other";

/** What shippers send with logs. Any other header, or one of these twice, makes a request one for the full server. */
const known: ReadonlySet<string> = new Set([
  "host", "user-agent", "accept", "accept-encoding", "connection", "content-type", "content-length", "content-encoding",
  "dd-api-key", "dd-evp-origin", "dd-evp-origin-version", "dd-protocol", "dd-message-timestamp", "dd-current-timestamp", "x-request-id", "traceparent",
]);
const REQUEST_LINE = /^POST (\/[!-"$->@-~]*)(?:\?([!-"$-~]*))? HTTP\/1\.1$/;
// No blanks before the colon, nothing but visible characters and blanks behind it: what else there is, the full server may refuse.
const HEADER = /^([A-Za-z0-9-]+):[ \t]*([ -~\t]*)$/;
const LENGTH = /^(?:0|[1-9]\d{0,8})$/;
/** What no head of ours has: the full server knows at once what to say of it. */
const ODD = /[^\r\n\t -~]|(?:^|[^\r])\n|\r[^\n]/;
const END = "\r\n\r\n";
const POST = "POST /";

/**
 * Reads the head of a plain POST with Content-Length: HTTP/1.1, one host, keep-alive, unpacked, headers known.
 *
 * Stricter than the standard on purpose: what is read here in another way than elsewhere would let one request hide in another.
 */
export function readHead(bytes: Buffer): HeadOutcome {
  const end = bytes.indexOf(END, 0, "latin1");
  if (end < 0) return POST.startsWith(bytes.toString("latin1", 0, POST.length)) && !ODD.test(bytes.toString("latin1")) ? "unfinished" : "other";
  const [first, ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const line = REQUEST_LINE.exec(first!);
  if (!line) return "other";
  const headers: Record<string, string> = {};
  for (const each of lines) {
    const header = HEADER.exec(each);
    const name = header?.[1]!.toLowerCase();
    if (name === undefined || !known.has(name) || headers[name] !== undefined) return "other";
    headers[name] = header![2]!.trimEnd();
  }
  const { host, connection = "keep-alive", "content-encoding": encoding = "identity", "content-length": length } = headers;
  if (host === undefined || length === undefined || !LENGTH.test(length) || connection.toLowerCase() !== "keep-alive" || encoding.toLowerCase() !== "identity") return "other";
  return { path: line[1]!, query: line[2] ?? "", headers, length: Number(length), headBytes: end + END.length };
}
