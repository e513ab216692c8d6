import { Random } from "./random.ts";

const verbs = ["Describe", "List", "Get", "Put", "Create", "Delete", "Update", "Attach", "Detach", "Modify", "Start", "Stop"];
const nouns = ["Instances", "Bucket", "User", "Role", "Policy", "Trail", "Key", "SecurityGroup", "Snapshot", "Volume", "AccessKey", "Function", "Secret"];
export const eventNames: readonly string[] = [...verbs.flatMap((verb) => nouns.map((noun) => verb + noun)), "ConsoleLogin", "AssumeRole", "StopLogging"];
const services = ["iam", "s3", "ec2", "sts", "kms", "lambda", "cloudtrail", "rds", "secretsmanager", "signin"];
const regions = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"];
const cliAgents = ["aws-cli/2.13.5 Python/3.11.4 Linux/5.15.0 exe/x86_64 prompt/off", "Boto3/1.28.17 md/Botocore#1.31.17 os/linux lang/python#3.9", "console.amazonaws.com", "aws-sdk-go/1.44 (go1.20; linux; amd64)"];
const browsers = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/115.0.0.0 Safari/537.36", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/16.5 Safari/605.1.15", "curl/8.1.2", "python-requests/2.31.0"];
const pages = ["/", "/login", "/api/v1/users", "/api/v1/orders", "/static/js/app.js", "/admin", "/search", "/health", "/cart/checkout"];
const START_MS = Date.parse("2026-01-10T00:00:00Z");

export type Corpus = "mix" | "spaced" | "shuffled" | "randomKeys" | "manySources";

/** NDJSON of about `bytes` bytes: one of five shapes, the same for the same seed. */
export function corpus(kind: Corpus, bytes: number, seed = 1): Uint8Array {
  const maker = new Maker(seed);
  const lines: string[] = [];
  let size = 0;
  while (size < bytes) {
    const line = maker.line(kind);
    lines.push(line);
    size += line.length + 1;
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

class Maker {
  readonly #random: Random;
  #timeMs = START_MS;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  line(kind: Corpus): string {
    switch (kind) {
      case "mix":
        return JSON.stringify(this.#event());
      case "spaced":
        return JSON.stringify(this.#event(), null, 1).replace(/\n */g, " ");
      case "shuffled":
        return JSON.stringify(this.#shuffled(this.#event()));
      case "randomKeys": {
        const labels = Object.fromEntries(Array.from({ length: 5 }, () => [`label_${this.#random.hex(6)}`, this.#random.hex(8)]));
        return JSON.stringify({ ...this.#event(), labels });
      }
      case "manySources":
        return JSON.stringify(this.#sourceEvent(this.#random.below(200)));
    }
  }

  #event(): Record<string, unknown> {
    const which = this.#random.next();
    this.#timeMs += this.#random.below(3);
    if (which < 0.3) return this.#cloudtrail();
    return which < 0.7 ? this.#auth() : this.#nginx();
  }

  #user(): string {
    return `user${this.#random.skewed(200_000).toString(36)}`;
  }
  #address(): string {
    const n = Math.imul(this.#random.skewed(300_000) + 1, 2654435761) >>> 0;
    return `${(n >>> 24) % 223 + 1}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
  }
  #base(source: string, service: string, status: string): Record<string, unknown> {
    const r = this.#random;
    return { ddsource: source, service, hostname: `ip-10-${r.below(4)}-${r.below(64)}-${r.below(64)}`, ddtags: `env:${r.pick(["prod", "staging", "dev"])},team:${r.pick(["core", "data", "web"])}`, timestamp: this.#timeMs, status };
  }

  #cloudtrail(): Record<string, unknown> {
    const r = this.#random;
    const name = eventNames[r.skewed(eventNames.length)]!;
    const service = r.pick(services);
    const account = String(100_000_000_000 + (Math.imul(r.skewed(500) + 1, 2654435761) >>> 0));
    const user = this.#user();
    const ip = this.#address();
    const region = r.pick(regions);
    const failed = r.next() < 0.06;
    const type = r.next() < 0.01 ? "Root" : r.next() < 0.4 ? "IAMUser" : "AssumedRole";
    return {
      ...this.#base("cloudtrail", "cloudtrail", failed ? "error" : "info"), eventVersion: "1.08",
      userIdentity: { type, principalId: `AIDA${r.hex(17)}`, arn: `arn:aws:iam::${account}:user/${user}`, accountId: account, accessKeyId: `ASIA${r.hex(16)}`, userName: user,
        sessionContext: { sessionIssuer: { type: "Role", arn: `arn:aws:iam::${account}:role/app-${r.below(50)}`, accountId: account }, attributes: { mfaAuthenticated: r.next() < 0.5 ? "true" : "false" } } },
      eventTime: new Date(this.#timeMs).toISOString(), eventSource: `${service}.amazonaws.com`, eventName: name, awsRegion: region, sourceIPAddress: ip, userAgent: r.pick(cliAgents),
      ...(failed ? { errorCode: r.pick(["AccessDenied", "NoSuchBucket", "ThrottlingException"]), errorMessage: `User ${user} is not authorized to perform ${service}:${name}` } : {}),
      requestParameters: { bucketName: `${r.pick(["prod", "dev", "logs"])}-${r.pick(["data", "billing", "trail"])}-${r.below(900)}`, maxItems: r.below(1000) },
      responseElements: null, requestID: r.hex(36), eventID: r.hex(36), readOnly: !failed, eventType: "AwsApiCall", recipientAccountId: account,
      evt: { name, outcome: failed ? "failure" : "success" }, usr: { id: user }, network: { client: { ip } },
      tlsDetails: { tlsVersion: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256", clientProvidedHostHeader: `${service}.${region}.amazonaws.com` },
    };
  }

  #auth(): Record<string, unknown> {
    const r = this.#random;
    const user = this.#user();
    const ip = this.#address();
    const failed = r.next() < 0.3;
    return { ...this.#base("auth", "sshd", failed ? "error" : "info"), message: `${failed ? "Failed" : "Accepted"} password for ${user} from ${ip} port ${1024 + r.below(60_000)} ssh2`,
      usr: { id: user }, network: { client: { ip } }, evt: { name: "authentication", outcome: failed ? "failure" : "success" }, process: { name: "sshd", pid: r.below(32_768) } };
  }

  #nginx(): Record<string, unknown> {
    const r = this.#random;
    const ip = this.#address();
    const page = r.pick(pages) + (r.next() < 0.4 ? `?id=${r.below(99_999)}` : "");
    const method = r.pick(["GET", "GET", "GET", "POST", "PUT", "DELETE"]);
    const code = r.next() < 0.9 ? 200 : r.pick([301, 403, 404, 500, 502]);
    const bytes = r.below(200_000);
    const agent = r.pick(browsers);
    return { ...this.#base("nginx", r.pick(["frontend", "api", "shop"]), code >= 500 ? "error" : "info"), message: `${ip} - - "${method} ${page} HTTP/1.1" ${code} ${bytes} "-" "${agent}"`,
      http: { method, url: page, status_code: code, useragent: agent, version: "1.1" }, network: { client: { ip }, bytes_written: bytes }, duration: r.below(900_000_000) };
  }

  #shuffled(record: Record<string, unknown>): Record<string, unknown> {
    const entries = Object.entries(record);
    for (let i = entries.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [entries[i], entries[j]] = [entries[j]!, entries[i]!];
    }
    return Object.fromEntries(entries);
  }

  #sourceEvent(source: number): Record<string, unknown> {
    const r = this.#random;
    const record: Record<string, unknown> = this.#base(`source-${source}`, "app", "info");
    for (let i = 0; i < 12; i++) if (r.next() > 0.3) record[`field_${source}_${i}`] = i % 3 ? r.hex(12) : r.below(100_000);
    return { ...record, evt: { name: eventNames[r.skewed(eventNames.length)] }, usr: { id: this.#user() }, network: { client: { ip: this.#address() } } };
  }
}
