// Documents through Elasticsearch's own client. AUTH: basic, key (ours as it is) or pair (an id and our key). COMPRESSION: none or gzip.
import { Client } from "@elastic/elasticsearch";

const { VESPID_URL, VESPID_KEY, SOURCE, FROM_MS, AUTH, COMPRESSION } = process.env;
const auths = { basic: { username: "elastic", password: VESPID_KEY }, key: { apiKey: VESPID_KEY }, pair: { apiKey: { id: "shipper", api_key: VESPID_KEY } } };
const client = new Client({ node: VESPID_URL, auth: auths[AUTH], compression: COMPRESSION === "gzip", maxRetries: 0 });
const { version } = await client.info();
await client.ping();
if (!(await client.indices.exists({ index: SOURCE }))) throw new Error("there is no such index");
const documents = [1, 2, 3].map((number) => ({
  "@timestamp": new Date(Number(FROM_MS) + number).toISOString(), message: `Failed password for user-${number}`, log: { level: "warning" }, host: { name: "db-2" }, service: { name: "auth" },
  event: { outcome: "failure", action: "login" }, user: { id: `user-${number}` }, source: { ip: "192.0.2.7" }, tags: ["prod"], labels: { team: "web" },
}));
const big = { "@timestamp": documents[0]["@timestamp"], readings: Array.from({ length: 200_000 }, () => 123456) };
const dropped = [];
const stats = await client.helpers.bulk({
  datasource: [...documents.slice(0, 1), big, ...documents.slice(1)], retries: 0,
  onDocument: () => ({ create: { _index: SOURCE } }),
  onDrop: ({ status, error, operation }) => dropped.push({ status, type: error?.type, operation }),
});
process.stdout.write(JSON.stringify({ version: version.number, total: stats.total, successful: stats.successful, failed: stats.failed, dropped }));
