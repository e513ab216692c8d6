// Logs through OpenTelemetry's own exporters. ENCODING: http (JSON) or proto; COMPRESSION: none or gzip.
import { ROOT_CONTEXT, SeverityNumber, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const { VESPID_URL, VESPID_KEY, SOURCE, FROM_MS, ENCODING, COMPRESSION } = process.env;
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${ENCODING}`);
const exporter = new OTLPLogExporter({ url: `${VESPID_URL}/v1/logs?ddsource=${SOURCE}&ddtags=team:web`, headers: { "DD-API-KEY": VESPID_KEY }, compression: COMPRESSION });
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ "service.name": "billing", "service.version": "2.4.1", "host.name": "pod-7", "deployment.environment.name": "prod", "process.pid": 4711 }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const context = trace.setSpanContext(ROOT_CONTEXT, { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", traceFlags: 1 });
const logger = provider.getLogger("checkout", "1.0.0");
for (const number of [1, 2, 3]) {
  logger.emit({
    context, timestamp: Number(FROM_MS) + number, severityNumber: SeverityNumber.WARN, severityText: "WARN", body: `Failed password for user-${number}`,
    attributes: { "evt.outcome": "failure", "usr.id": `user-${number}`, tries: number, share: 0.25, known: false, groups: ["a", "b"], card: { holder: { country: "FR" } }, digest: new Uint8Array([1, 2, 255]) },
  });
}
await provider.forceFlush();
await provider.shutdown();
