import type { ReactNode } from "react";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly count?: number;
  readonly body: () => ReactNode;
}

/** Tabs by the arrow keys, as the ARIA pattern has them. */
export function Tabs({ label, tabs, chosen, onChoose }: { readonly label: string; readonly tabs: readonly Tab[]; readonly chosen: string; readonly onChoose: (id: string) => void }) {
  const at = Math.max(0, tabs.findIndex(({ id }) => id === chosen));
  const move = (by: number, element: HTMLElement): void => {
    const next = (at + by + tabs.length) % tabs.length;
    onChoose(tabs[next]!.id);
    (element.parentElement!.children[next] as HTMLElement).focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label={label} className="tab-list">
        {tabs.map((tab, i) => (
          <button
            key={tab.id} type="button" role="tab" id={`tab-${tab.id}`} aria-selected={i === at} aria-controls={`tabpanel-${tab.id}`} tabIndex={i === at ? 0 : -1}
            onClick={() => onChoose(tab.id)}
            onKeyDown={(event) => {
              if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
              event.preventDefault();
              move(event.key === "ArrowRight" ? 1 : -1, event.currentTarget);
            }}
          >
            {tab.label}
            {tab.count !== undefined && <span className="tab-count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`tabpanel-${tabs[at]!.id}`} aria-labelledby={`tab-${tabs[at]!.id}`} tabIndex={0} className="tab-panel">
        {tabs[at]!.body()}
      </div>
    </div>
  );
}
