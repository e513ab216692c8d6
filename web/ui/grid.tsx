import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, memo, useEffect, useRef } from "react";
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
  /** The same function as long as it shows the same of a row: rows that stay are then not made anew. */
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
/** The heading stays where it is, over the first row. */
const HEAD_PX = 30;
const OVERSCAN = 8;
/** Elements of rows that left are used for those that come. A power of two; more where more are in sight. */
const LEAST_ELEMENTS = 64;

/** A table of any length: only the rows in sight are elements. */
export function Grid<R>(props: GridProps<R>) {
  const { label, columns, count, rowAt, onSight, cell, keyOf, active, openKey, chosen, onChoose, sort, onSort, rowClass } = props;
  const latest = useRef(props);
  latest.current = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: OVERSCAN });
  const items = rows.getVirtualItems();
  const [from, to] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1];
  useEffect(() => {
    if (to > from) onSight(from, to);
  }, [from, to, onSight]);
  useEffect(() => {
    if (active < 0 || active >= count || !box.current || !rows.scrollRect) return;
    // By what is known of the box: to ask it would have the page laid out at each press of a key.
    const { height } = rows.scrollRect;
    const [topPx, endPx] = [active * ROW_PX, HEAD_PX + (active + 1) * ROW_PX];
    const offset = rows.scrollOffset ?? 0;
    if (topPx < offset) box.current.scrollTop = topPx;
    else if (endPx > offset + height) box.current.scrollTop = endPx - height;
  }, [active]);
  let elements = LEAST_ELEMENTS;
  while (elements < items.length) elements *= 2;
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
          return (
            <GridRow
              key={index & (elements - 1)} row={row} rowKey={key} index={index} start={start} template={template} columns={columns} cell={cell as (row: unknown, column: GridColumn) => ReactNode} latest={latest as unknown as RefObject<GridProps<unknown>>} className={row && rowClass ? rowClass(row) : ""}
              isActive={index === active} isOpen={key !== undefined && key === openKey} isChosen={key !== undefined && chosen?.has(key) === true} isChoice={onChoose !== undefined}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: unknown;
  readonly rowKey: string | undefined;
  readonly index: number;
  readonly start: number;
  readonly template: string;
  readonly columns: readonly GridColumn[];
  readonly cell: (row: unknown, column: GridColumn) => ReactNode;
  /** What is called when something is done with a row. */
  readonly latest: RefObject<GridProps<unknown>>;
  readonly className: string;
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  readonly isChoice: boolean;
}

const GridRow = memo(function GridRow({ row, rowKey, index, start, template, columns, cell, latest, className, isActive, isOpen, isChosen, isChoice }: RowProps) {
  return (
    <div
      id={`row-${index}`} role="row" aria-rowindex={index + 2} aria-selected={isChoice ? isChosen : isActive}
      className={`grid-row ${isActive ? "is-active" : ""} ${isOpen ? "is-open" : ""} ${className}`}
      style={{ gridTemplateColumns: template, transform: `translateY(${start}px)`, height: ROW_PX }}
      onClick={() => (latest.current.onActive(index), latest.current.onOpen(index))}
    >
      {isChoice && (
        <span role="gridcell" className="grid-cell" onClick={(event) => event.stopPropagation()}>
          <input type="checkbox" tabIndex={-1} aria-label={`Select row ${countText(index + 1)}`} checked={isChosen} disabled={rowKey === undefined} onChange={() => {}} onClick={(event) => rowKey !== undefined && latest.current.onChoose?.(rowKey, index, event.shiftKey)} />
        </span>
      )}
      {columns.map((column) => (
        <span key={column.id} role="gridcell" className={`grid-cell column-${column.id.replace(/\W/g, "-")}`}>
          {row === undefined ? <span className="grid-wait" /> : cell(row, column)}
        </span>
      ))}
    </div>
  );
});
