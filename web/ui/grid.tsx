import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import { countText } from "../lib/text.ts";

export interface GridColumn {
  readonly id: string;
  readonly title: string;
  /** A CSS width; the last column takes the rest. */
  readonly width: string;
  /** What the server sorts by; the column cannot be sorted by when absent. */
  readonly sort?: string;
}

export interface GridProps<R> {
  readonly label: string;
  readonly columns: readonly GridColumn[];
  /** Rows in all, whether they are here yet or not. */
  readonly count: number;
  /** Undefined: not here yet. */
  readonly rowAt: (index: number) => R | undefined;
  /** Told which rows are in sight. */
  readonly onSight: (from: number, to: number) => void;
  readonly cell: (row: R, column: GridColumn) => ReactNode;
  readonly keyOf: (row: R) => string;
  readonly active: number;
  readonly onActive: (index: number) => void;
  readonly onOpen: (index: number) => void;
  readonly openKey?: string;
  readonly chosen?: ReadonlySet<string>;
  readonly onChoose?: (key: string, index: number, range: boolean) => void;
  /** `severity`, `-timestamp`. */
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  readonly rowClass?: (row: R) => string;
}

const ROW_PX = 34;

/** A table of any length: only the rows in sight are elements. */
export function Grid<R>(props: GridProps<R>) {
  const { label, columns, count, rowAt, onSight, cell, keyOf, active, onActive, onOpen, openKey, chosen, onChoose, sort, onSort, rowClass } = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 12 });
  const items = rows.getVirtualItems();
  const [from, to] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1];
  useEffect(() => {
    if (to > from) onSight(from, to);
  }, [from, to, onSight]);
  useEffect(() => {
    if (active >= 0 && active < count) rows.scrollToIndex(active, { align: "auto" });
  }, [active]);
  const template = `${onChoose ? "34px " : ""}${columns.map(({ width }) => width).join(" ")}`;
  return (
    <div className="grid" role="grid" aria-label={label} aria-rowcount={count + 1} aria-colcount={columns.length + (onChoose ? 1 : 0)} aria-multiselectable={onChoose ? true : undefined} ref={box} tabIndex={0} aria-activedescendant={active >= from && active < to ? `row-${active}` : undefined}>
      <div className="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {onChoose && <span role="columnheader" aria-label="Selection" className="grid-cell" />}
        {columns.map((column) => {
          const direction = sort === column.sort ? "ascending" : sort === `-${column.sort}` ? "descending" : undefined;
          return (
            <span key={column.id} role="columnheader" className="grid-cell" aria-sort={column.sort && onSort ? (direction ?? "none") : undefined}>
              {column.sort && onSort ? (
                <button type="button" tabIndex={-1} onClick={() => onSort(direction === "descending" ? column.sort! : `-${column.sort}`)}>
                  {column.title} {direction === "ascending" ? "▲" : direction === "descending" ? "▼" : ""}
                </button>
              ) : (
                column.title
              )}
            </span>
          );
        })}
      </div>
      <div className="grid-body" role="rowgroup" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rowAt(index);
          const key = row && keyOf(row);
          const isChosen = key !== undefined && chosen?.has(key) === true;
          return (
            <div
              key={index} id={`row-${index}`} role="row" aria-rowindex={index + 2} aria-selected={onChoose ? isChosen : index === active}
              className={`grid-row ${index === active ? "is-active" : ""} ${key !== undefined && key === openKey ? "is-open" : ""} ${row && rowClass ? rowClass(row) : ""}`}
              style={{ gridTemplateColumns: template, transform: `translateY(${start}px)`, height: ROW_PX }}
              onClick={() => (onActive(index), onOpen(index))}
            >
              {onChoose && (
                <span role="gridcell" className="grid-cell" onClick={(event) => event.stopPropagation()}>
                  <input type="checkbox" tabIndex={-1} aria-label={`Select row ${countText(index + 1)}`} checked={isChosen} disabled={key === undefined} onChange={() => {}} onClick={(event) => key !== undefined && onChoose(key, index, event.shiftKey)} />
                </span>
              )}
              {columns.map((column) => (
                <span key={column.id} role="gridcell" className={`grid-cell column-${column.id.replace(/\W/g, "-")}`}>
                  {row === undefined ? <span className="grid-wait" /> : cell(row, column)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
