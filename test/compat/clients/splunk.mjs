// Logs through winston and the transport for Splunk's collector, whose inside is Splunk's own logging library.
import winston from "winston";
import SplunkStreamEvent from "winston-splunk-httplogger";

const { VESPID_URL, VESPID_KEY, SOURCE, FROM_MS } = process.env;
const transport = new SplunkStreamEvent({ splunk: { token: VESPID_KEY, url: VESPID_URL, source: "shop.js", sourcetype: SOURCE, index: "main" } });
// By its documentation this is where it tells of what was not taken.
transport.server.error = (error) => {
  throw error;
};
const logger = winston.createLogger({ transports: [transport] });
for (const number of [1, 2, 3]) {
  const sent = new Promise((resolve, reject) => transport.once("logged", resolve).once("error", reject));
  logger.warn(`Failed password for user-${number}`, { service: "shop", evt: { outcome: "failure" }, usr: { id: `user-${number}` }, splunk: { host: "shop-1", time: (Number(FROM_MS) + number) / 1000 } });
  await sent;
}
