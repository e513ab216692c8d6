// Writes the bundled demonstration logs: two hours of one small company, with five attacks in them. Same bytes every time.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "fixtures", "demo", "logs");
const START = Date.parse("2026-03-02T08:00:00Z");
const SPAN = 2 * 3600 * 1000;
let state = 20260302;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
};
const pick = (list) => list[Math.floor(random() * list.length)];
const people = ["amelie", "bruno", "chiara", "dmitri", "elif", "farid", "greta", "hana", "ivo", "jonas", "katya", "liam", "mina", "noor", "oskar", "petra", "quinn", "rosa", "stefan", "tara"];
const office = () => `10.20.${Math.floor(random() * 4)}.${10 + Math.floor(random() * 60)}`;
const outside = () => pick(["192.0.2.", "198.51.100."]) + (1 + Math.floor(random() * 250));
const iso = (ms) => new Date(ms).toISOString();

function write(name, events) {
  events.sort((a, b) => a.at - b.at);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${events.map(({ record }) => JSON.stringify(record)).join("\n")}\n`);
}

// Sign-ins over ssh.
const auth = [];
const signIn = (at, user, ip, ok) =>
  auth.push({ at, record: { timestamp: iso(at), ddsource: "auth", service: "sshd", hostname: `bastion-${1 + (at % 2)}`, status: ok ? "info" : "error", ddtags: "env:prod,team:platform",
    message: `${ok ? "Accepted" : "Failed"} password for ${user} from ${ip} port ${1024 + Math.floor(random() * 60000)} ssh2`,
    evt: { name: "authentication", outcome: ok ? "success" : "failure" }, usr: { id: user }, network: { client: { ip } } } });
for (let i = 0; i < 500; i++) signIn(START + Math.floor(random() * SPAN), pick(people), office(), random() > 0.06);
const force = START + 41 * 60_000;
for (let i = 0; i < 40; i++) signIn(force + i * 6_000, "deploy", "203.0.113.77", false);
signIn(force + 241_000, "deploy", "203.0.113.77", true);
const spray = START + 73 * 60_000;
for (let i = 0; i < 30; i++) signIn(spray + i * 8_000, `${pick(people)}.${i}`, "203.0.113.150", false);
write("auth.ndjson", auth);

// Requests to a shop.
const web = [];
const agents = ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", "curl/8.8.0"];
const request = (at, ip, method, url, code, agent) =>
  web.push({ at, record: { timestamp: iso(at), ddsource: "nginx", service: "shop", hostname: `web-${1 + (at % 3)}`, status: code >= 500 ? "error" : code >= 400 ? "warn" : "info", ddtags: "env:prod,team:shop",
    message: `${method} ${url} ${code}`, http: { method, url, status_code: code, useragent: agent }, network: { client: { ip }, bytes_written: Math.floor(random() * 90000) } } });
const pages = ["/", "/cart", "/products/12", "/products/88", "/checkout", "/static/app.js", "/api/v1/prices", "/login"];
for (let i = 0; i < 600; i++) request(START + Math.floor(random() * SPAN), outside(), random() > 0.1 ? "GET" : "POST", pick(pages), random() > 0.03 ? 200 : pick([404, 302, 500]), pick(agents));
const scan = START + 58 * 60_000;
const probes = ["/.env", "/wp-login.php", "/phpmyadmin/index.php", "/.git/config", "/admin/config.php", "/backup.zip", "/server-status", "/cgi-bin/test.cgi"];
for (let i = 0; i < 70; i++) request(scan + i * 1_500, "203.0.113.9", "GET", `${pick(probes)}${i % 3 ? "" : `?v=${i}`}`, 404, "Mozilla/5.0 (compatible; nikto/2.5)");
write("web.ndjson", web);

// Calls to a cloud account, with the field names the provider writes.
const cloud = [];
const call = (at, type, user, service, name, ip, more = {}) =>
  cloud.push({ at, record: { eventVersion: "1.09", ddsource: "cloudtrail", eventTime: iso(at).replace(".000Z", "Z").slice(0, 19) + "Z", eventSource: `${service}.amazonaws.com`, eventName: name, awsRegion: pick(["eu-west-1", "us-east-1"]), sourceIPAddress: ip, userAgent: "aws-cli/2.17.0",
    userIdentity: { type, userName: user, accountId: "111122223333", arn: `arn:aws:iam::111122223333:${type === "Root" ? "root" : `user/${user}`}` }, readOnly: /^(Get|List|Describe)/.test(name), eventType: "AwsApiCall", managementEvent: true, recipientAccountId: "111122223333", ...more } });
const calls = [["ec2", "DescribeInstances"], ["s3", "ListBuckets"], ["iam", "GetUser"], ["sts", "GetCallerIdentity"], ["kms", "DescribeKey"], ["lambda", "ListFunctions"], ["ec2", "CreateTags"]];
for (let i = 0; i < 350; i++) {
  const [service, name] = pick(calls);
  call(START + Math.floor(random() * SPAN), "IAMUser", pick(people), service, name, office());
}
const root = START + 95 * 60_000;
call(root, "Root", "root", "signin", "ConsoleLogin", "203.0.113.200", { eventType: "AwsConsoleSignIn", responseElements: { ConsoleLogin: "Success" }, additionalEventData: { MFAUsed: "No" } });
call(root + 140_000, "Root", "root", "cloudtrail", "StopLogging", "203.0.113.200", { requestParameters: { name: "main-trail" } });
write("cloudtrail.ndjson", cloud);
