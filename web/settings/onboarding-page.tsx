import type { OverviewData } from "../../host/insight/overview-model.ts";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link } from "../lib/router.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { views } from "../overview/modules.tsx";
import "../styles/overview.css";

/** First steps, done or not: by what the server finds, never by a click. */
export default function OnboardingPage() {
  const found = useLoad("onboarding", async (signal) => (await get<{ readonly modules: ReadonlyArray<{ readonly data: OverviewData["onboarding"] }> }>("/api/v2/security/overview?modules=onboarding", signal)).modules[0]!.data);
  const { view: View } = views.onboarding;
  return (
    <div className="page">
      <h1>Get started</h1>
      {found.fault ? <Fault fault={found.fault} onRetry={found.reload} /> : !found.data ? <Loading /> : (
        <section className="card" aria-label="First steps">
          {found.data.open === 0 && <p className="good">All done.</p>}
          <View data={found.data} />
        </section>
      )}
      <section className="card" aria-label="Sending logs">
        <h2>Sending logs</h2>
        <p>Any shipper that speaks to Datadog, Splunk, Elastic, OTLP or syslog sends here unchanged, with an <Link href="/settings/keys">API key</Link>:</p>
        <pre>{`curl -H "DD-API-KEY: $DD_API_KEY" -d '[{"ddsource":"me","message":"hello"}]' ${location.origin}/api/v2/logs`}</pre>
      </section>
    </div>
  );
}
