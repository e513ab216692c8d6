import { useEffect, useState } from "react";
import { ApiFault, call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { useMay } from "../lib/session.tsx";
import { countText } from "../lib/text.ts";
import { apiBound, boundMs, timeText } from "../lib/time.ts";
import { Empty, Fault } from "../ui/fault.tsx";
import { type Span, TimePicker, spanText } from "../ui/time-picker.tsx";
import { Severity } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";
import { tellFault } from "../ui/toast.tsx";
import type { RuleDraft } from "./model.ts";
import { type Sensitivity, SensitivityView } from "./sensitivity.tsx";

const JOBS = "/api/v2/siem-historical-detections/jobs";
const POLL_MS = 700;

interface Job {
  readonly id: string;
  readonly attributes: { readonly jobStatus: string; readonly jobName: string; readonly createdAt: string; readonly createdFromRuleId?: string; readonly progressRate: number; readonly signalCount?: number; readonly sensitivity?: Sensitivity; readonly note?: string; readonly jobDefinition: { readonly from: number; readonly to: number } };
}

interface Found {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly timestamp: string; readonly severity?: string; readonly title?: string; readonly custom?: { readonly workflow?: { readonly events_matched?: number } } } }>;
}

/**
 * What a rule would have told of logs that are kept, as it is and at other thresholds: a historical job, whose signals are its own
 * until somebody takes them over.
 *
 * @param ruleId of the rule, where it is saved as it stands in the draft; otherwise the draft itself is run
 */
export function Backtest({ draft, ruleId }: { readonly draft: RuleDraft; readonly ruleId?: string }) {
  const mayRun = useMay("security_monitoring_rules_write");
  const [span, setSpan] = useState<Span>({ from: "now-7d", to: "now" });
  const [jobId, setJobId] = useState<string>();
  const jobs = useLoad(ruleId === undefined ? undefined : `jobs ${ruleId} ${jobId ?? ""}`, async (signal) => (await get<{ readonly data: readonly Job[] }>(`${JOBS}?page[size]=50`, signal)).data.filter(({ attributes }) => attributes.createdFromRuleId === ruleId));
  const start = async (): Promise<void> => {
    const nowMs = Date.now();
    const range = { from: boundMs(String(apiBound(span.from)), nowMs), to: boundMs(String(apiBound(span.to)), nowMs), index: "main" };
    const what = ruleId === undefined ? { jobDefinition: { ...draft, name: draft.name || "A draft", ...range } } : { fromRule: { id: ruleId, ...range } };
    try {
      const { data } = await call<{ readonly data: { readonly id: string } }>("POST", JOBS, { data: { type: "historicalDetectionsJobCreate", attributes: { ...what, sensitivity: true } } });
      setJobId(data.id);
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <div className="backtest">
      <div className="page-head">
        <TimePicker span={span} onChoose={setSpan} />
        {mayRun && <button type="button" className="primary" onClick={() => void start()}>Run over {spanText(span).toLowerCase()}</button>}
      </div>
      {jobId ? <RunningJob key={jobId} id={jobId} onEnd={jobs.reload} /> : <Empty>Runs the rule{ruleId === undefined ? ", as it is written here," : ""} over the logs that are kept, as it is and at stricter and milder settings. No notification is sent, and no signal is made but the job's own.</Empty>}
      {(jobs.data ?? []).length > 0 && (
        <>
          <h3>Runs before</h3>
          <ul className="related">{jobs.data!.map(({ id, attributes }) => <li key={id}><button type="button" className="linkish" onClick={() => setJobId(id)}>{attributes.createdAt.slice(0, 19)}</button> <span className="quiet">{attributes.jobStatus}, {timeText(attributes.jobDefinition.from, "row")} – {timeText(attributes.jobDefinition.to, "row")}</span></li>)}</ul>
        </>
      )}
    </div>
  );
}

function RunningJob({ id, onEnd }: { readonly id: string; readonly onEnd: () => void }) {
  const [job, setJob] = useState<Job>();
  const [fault, setFault] = useState<ApiFault>();
  useEffect(() => {
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      for (;;) {
        const { data } = await get<{ readonly data: Job }>(`${JOBS}/${id}`, abort.signal);
        setJob(data);
        if (!["pending", "running"].includes(data.attributes.jobStatus)) return onEnd();
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    };
    ask().catch((error: ApiFault) => !abort.signal.aborted && setFault(error));
    return () => abort.abort();
  }, [id]);
  const status = job?.attributes.jobStatus;
  const isDone = status === "completed";
  const found = useLoad(isDone ? `found ${id}` : undefined, (signal) => get<Found>(`${JOBS}/${id}/histsignals?page[limit]=1000`, signal));
  if (fault) return <Fault fault={fault} />;
  if (status === "failed") return <p role="alert" className="bad">The backtest failed{job!.attributes.note ? <>: <Line>{job!.attributes.note}</Line></> : ""}</p>;
  if (!isDone) return <p role="status">{status ?? "asked for"} <progress aria-label="Progress of the backtest" {...(job ? { value: job.attributes.progressRate } : {})} /></p>;
  if (found.fault) return <Fault fault={found.fault} />;
  if (!found.data) return null;
  const { data } = found.data;
  const count = job!.attributes.signalCount ?? data.length;
  return (
    <>
      <p role="status"><strong>{countText(count)}</strong> {count === 1 ? "signal" : "signals"} would have been made.{job!.attributes.note && <span className="quiet"> <Line>{job!.attributes.note}</Line></span>}</p>
      {job!.attributes.sensitivity && <SensitivityView sensitivity={job!.attributes.sensitivity} />}
      {data.length > 0 && (
        <table className="plain">
          <thead><tr><th scope="col">Severity</th><th scope="col">When</th><th scope="col">Signal</th><th scope="col" className="number">Events</th></tr></thead>
          <tbody>{data.slice(0, 200).map(({ id: signalId, attributes }) => <tr key={signalId}><td><Severity value={attributes.severity ?? "info"} /></td><td>{timeText(attributes.timestamp, "row")}</td><td><Line>{attributes.title ?? signalId}</Line></td><td className="number">{countText(attributes.custom?.workflow?.events_matched)}</td></tr>)}</tbody>
        </table>
      )}
    </>
  );
}
