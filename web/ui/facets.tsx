import { memo } from "react";
import { countText } from "../lib/text.ts";
import { hasTerm, withTerm, withoutTerm } from "./terms.ts";
import { Line } from "./text.tsx";

export interface FacetValue {
  readonly value: string;
  readonly count: number;
  /** Search text that finds it. */
  readonly query: string;
}

export interface FacetView {
  readonly id: string;
  readonly title: string;
  readonly values: readonly FacetValue[];
  readonly distinct?: number;
}

/** Values with their counts; a press narrows the search to one, the cross leaves it out. */
export const Facets = memo(function Facets({ facets, query, onQuery }: { readonly facets: readonly FacetView[]; readonly query: string; readonly onQuery: (query: string) => void }) {
  return (
    <nav className="facets" aria-label="Facets" tabIndex={0}>
      {facets.map(({ id, title, values, distinct }) => (
        <details key={id} open={values.length > 0} className="facet">
          <summary>
            {title} <span className="facet-count">{countText(distinct ?? values.length)}</span>
          </summary>
          <ul>
            {values.map((each) => {
              const isChosen = hasTerm(query, each.query);
              return (
                <li key={each.value}>
                  <button type="button" className="facet-value" aria-pressed={isChosen} onClick={() => onQuery(isChosen ? withoutTerm(query, each.query) : withTerm(query, each.query))}>
                    <Line>{each.value}</Line>
                    <span className="facet-count">{countText(each.count)}</span>
                  </button>
                  <button type="button" className="facet-not" aria-label={`Leave out ${each.value}`} title="Leave out" onClick={() => onQuery(withTerm(withoutTerm(query, each.query), `-${each.query}`))}>
                    −
                  </button>
                </li>
              );
            })}
            {values.length === 0 && <li className="facet-none">no values</li>}
          </ul>
        </details>
      ))}
    </nav>
  );
});
