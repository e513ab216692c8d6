// Logs through the official client of Datadog's API. VERSION: v1 or v2; ENCODING: identity, gzip or deflate.
import { client, v1, v2 } from "@datadog/datadog-api-client";

const { VESPID_URL, VESPID_KEY, SOURCE, FROM_MS, ENCODING, VERSION } = process.env;
const { protocol, host } = new URL(VESPID_URL);
// Of the servers it offers, the one that is named whole.
const configuration = client.createConfiguration({ authMethods: { apiKeyAuth: VESPID_KEY }, operationServerIndices: { [`${VERSION}.LogsApi.submitLog`]: 1 } });
configuration.setServerVariables({ protocol: protocol.slice(0, -1), name: host });
const api = new (VERSION === "v1" ? v1 : v2).LogsApi(configuration);
await api.submitLog({
  ddtags: "team:web,site:lyon",
  ...(ENCODING === "identity" ? {} : { contentEncoding: ENCODING }),
  body: [1, 2, 3].map((number) => ({
    ddsource: SOURCE, ddtags: "env:prod", hostname: "web-1", service: "login", message: `Failed password for user-${number}`,
    additionalProperties: { status: "error", timestamp: String(Number(FROM_MS) + number), "evt.outcome": "failure" },
  })),
});
