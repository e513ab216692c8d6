import { memo, useRef, useState } from "react";
import { countText, shortCount } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";

export interface BarSeries {
  readonly name: string;
  /** A class that gives `color`. */
  readonly className: string;
  /** One for each bucket. */
  readonly values: readonly number[];
}

const HEIGHT = 72;
const WIDTH = 1000;

/** Stacked bars over time; a span drawn with the pointer is chosen. The same numbers stand in a table for those who do not see it. */
export const Bars = memo(function Bars({ label, startMs, widthMs, series, onChoose }: { readonly label: string; readonly startMs: number; readonly widthMs: number; readonly series: readonly BarSeries[]; readonly onChoose?: (fromMs: number, toMs: number) => void }) {
  const box = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number }>();
  const [over, setOver] = useState<number>();
  const count = series[0]?.values.length ?? 0;
  const totals = Array.from({ length: count }, (_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const most = Math.max(1, ...totals);
  const step = count ? WIDTH / count : WIDTH;
  const at = (clientX: number): number => {
    const { left, width } = box.current!.getBoundingClientRect();
    return Math.min(count - 1, Math.max(0, Math.floor(((clientX - left) / width) * count)));
  };
  const bottoms = Array.from({ length: count }, () => 0);
  return (
    <figure className="bars">
      <figcaption className="bars-scale">
        <span>{shortCount(most)}</span>
        <span className="bars-over" aria-hidden="true">
          {over !== undefined && over < count && (
            <>
              {timeText(startMs + over * widthMs, "row")}: {series.filter(({ values }) => values[over]).map(({ name, values }) => `${name} ${countText(values[over])}`).join(", ") || "none"}
            </>
          )}
        </span>
      </figcaption>
      <svg
        ref={box} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}
        onPointerDown={(event) => {
          if (!onChoose || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: at(event.clientX), to: at(event.clientX) });
        }}
        onPointerMove={(event) => (setOver(at(event.clientX)), drag && setDrag({ ...drag, to: at(event.clientX) }))}
        onPointerLeave={() => setOver(undefined)}
        onPointerUp={() => {
          if (!drag) return;
          setDrag(undefined);
          const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to) + 1];
          onChoose?.(startMs + from * widthMs, startMs + to * widthMs);
        }}
      >
        {series.map(({ name, className, values }) => (
          <g key={name} className={className} fill="currentColor">
            {values.map((value, i) => {
              if (!value) return null;
              const height = (value / most) * (HEIGHT - 2);
              bottoms[i]! += height;
              return <rect key={i} x={i * step + step * 0.08} width={step * 0.84} y={HEIGHT - bottoms[i]!} height={height} />;
            })}
          </g>
        ))}
        {drag && <rect className="bars-drag" x={Math.min(drag.from, drag.to) * step} width={(Math.abs(drag.to - drag.from) + 1) * step} y={0} height={HEIGHT} />}
      </svg>
      <div className="bars-times" aria-hidden="true">
        <span>{timeText(startMs, "row")}</span>
        <span>{timeText(startMs + (count * widthMs) / 2, "row")}</span>
        <span>{timeText(startMs + count * widthMs, "row")}</span>
      </div>
    </figure>
  );
});
