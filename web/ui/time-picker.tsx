import { useState } from "react";
import { boundMs, spans, timeText } from "../lib/time.ts";
import { Popup } from "./menu.tsx";

export interface Span {
  /** `now-7d` or epoch milliseconds. */
  readonly from: string;
  readonly to: string;
}

export function spanText({ from, to }: Span): string {
  const known = to === "now" ? spans.find((each) => each.from === from) : undefined;
  if (known) return known.label;
  const text = (bound: string): string => (/^\d+$/.test(bound) ? timeText(Number(bound), "row") : bound);
  return `${text(from)} – ${text(to)}`;
}

const local = (ms: number): string => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

export function TimePicker({ span, onChoose }: { readonly span: Span; readonly onChoose: (span: Span) => void }) {
  return (
    <Popup label={<>{spanText(span)} ▾</>} className="time-picker" align="right">
      {(close) => (
        <div className="time-choices">
          <ul className="choices">
            {spans.map((each) => (
              <li key={each.from}>
                <button type="button" aria-pressed={span.from === each.from && span.to === "now"} onClick={() => (onChoose({ from: each.from, to: "now" }), close())}>
                  {each.label}
                </button>
              </li>
            ))}
          </ul>
          <Exact span={span} onChoose={(chosen) => (onChoose(chosen), close())} />
        </div>
      )}
    </Popup>
  );
}

function Exact({ span, onChoose }: { readonly span: Span; readonly onChoose: (span: Span) => void }) {
  const nowMs = Date.now();
  const [from, setFrom] = useState(local(boundMs(span.from, nowMs) ?? nowMs - 86_400_000));
  const [to, setTo] = useState(local(boundMs(span.to, nowMs) ?? nowMs));
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const isGood = fromMs < toMs;
  return (
    <form className="time-exact" onSubmit={(event) => (event.preventDefault(), isGood && onChoose({ from: String(fromMs), to: String(toMs) }))}>
      <label>
        From <input type="datetime-local" step="1" value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        To <input type="datetime-local" step="1" value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      <button type="submit" disabled={!isGood}>
        Apply
      </button>
    </form>
  );
}
