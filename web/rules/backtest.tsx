import { useEffect, useState } from "react";
import { ApiFault, call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { countText } from "../lib/text.ts";
import { apiBound, boundMs, timeText } from "../lib/time.ts";
import { Empty, Fault } from "../ui/fault.tsx";
import { type Span, TimePicker, spanText } from "../ui/time-picker.tsx";
import { Severity } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";
import { tellFault } from "../ui/toast.tsx";
import type { Rule } from "./model.ts";

const JOBS = "/api/v2/siem-historical-detections/jobs";
const POLL_MS = 700;

interface Job {
  readonly id: string;
  readonly attributes: { readonly jobStatus: string; readonly jobName: string; readonly createdAt: string; readonly createdFromRuleId?: string; readonly signalOutput?: boolean; readonly progress?: number; readonly jobDefinition: { readonly from: number; readonly to: number } };
}

interface Found {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly timestamp: string; readonly severity?: string; readonly title?: string; readonly custom?: { readonly workflow?: { readonly events_matched?: number } } } }>;
}

/** What the rule would have told of logs that are kept: a historical job, whose signals are its own until somebody takes them over. */
export function Backtest({ rule }: { readonly rule: Rule }) {
  const [span, setSpan] = useState<Span>({ from: "now-7d", to: "now" });
  const [jobId, setJobId] = useState<string>();
  const jobs = useLoad(`jobs ${rule.id} ${jobId ?? ""}`, async (signal) => (await get<{ readonly data: readonly Job[] }>(`${JOBS}?page[size]=50`, signal)).data.filter(({ attributes }) => attributes.createdFromRuleId === rule.id));
  const start = async (): Promise<void> => {
    const nowMs = Date.now();
    try {
      const { data } = await call<{ readonly data: { readonly id: string } }>("POST", JOBS, { data: { type: "historicalDetectionsJobCreate", attributes: { fromRule: { id: rule.id, from: boundMs(String(apiBound(span.from)), nowMs), to: boundMs(String(apiBound(span.to)), nowMs), index: "main" } } } });
      setJobId(data.id);
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <div className="backtest">
      <div className="page-head">
        <TimePicker span={span} onChoose={setSpan} />
        <button type="button" className="primary" onClick={() => void start()}>Run over {spanText(span).toLowerCase()}</button>
      </div>
      {jobId ? <RunningJob key={jobId} id={jobId} /> : <Empty>Runs the rule, as it is saved, over the logs that are kept. No notification is sent, and no signal is made but the job's own.</Empty>}
      {(jobs.data ?? []).length > 0 && (
        <>
          <h3>Runs before</h3>
          <ul className="related">{jobs.data!.map(({ id, attributes }) => <li key={id}><button type="button" className="linkish" onClick={() => setJobId(id)}>{attributes.createdAt.slice(0, 19)}</button> <span className="quiet">{attributes.jobStatus}, {timeText(attributes.jobDefinition.from, "row")} – {timeText(attributes.jobDefinition.to, "row")}</span></li>)}</ul>
        </>
      )}
    </div>
  );
}

function RunningJob({ id }: { readonly id: string }) {
  const [job, setJob] = useState<Job>();
  const [fault, setFault] = useState<ApiFault>();
  useEffect(() => {
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      for (;;) {
        const { data } = await get<{ readonly data: Job }>(`${JOBS}/${id}`, abort.signal);
        setJob(data);
        if (!["pending", "running"].includes(data.attributes.jobStatus)) return;
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
  if (!isDone) return <p role="status">{status ?? "asked for"} <progress aria-label="Progress of the backtest" {...(job?.attributes.progress === undefined ? {} : { value: job.attributes.progress, max: job.attributes.progress > 1 ? 100 : 1 })} /></p>;
  if (found.fault) return <Fault fault={found.fault} />;
  if (!found.data) return null;
  const { data } = found.data;
  return (
    <>
      <p role="status"><strong>{countText(data.length)}{data.length === 1000 ? " or more" : ""}</strong> {data.length === 1 ? "signal" : "signals"} would have been made.</p>
      {data.length > 0 && (
        <table className="plain">
          <thead><tr><th scope="col">Severity</th><th scope="col">When</th><th scope="col">Signal</th><th scope="col" className="number">Events</th></tr></thead>
          <tbody>{data.slice(0, 200).map(({ id: signalId, attributes }) => <tr key={signalId}><td><Severity value={attributes.severity ?? "info"} /></td><td>{timeText(attributes.timestamp, "row")}</td><td><Line>{attributes.title ?? signalId}</Line></td><td className="number">{countText(attributes.custom?.workflow?.events_matched)}</td></tr>)}</tbody>
        </table>
      )}
    </>
  );
}
