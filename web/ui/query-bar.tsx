import { useEffect, useId, useRef, useState } from "react";
import { parseQuery } from "../../host/query/parse.ts";
import { quoted, visible } from "../lib/text.ts";
import { useKeys } from "../lib/keys.tsx";

export interface QueryField {
  /** As it is written: `source`, `@usr.id`. */
  readonly name: string;
  readonly about?: string;
}

export interface QueryBarProps {
  readonly label: string;
  readonly value: string;
  readonly onSubmit: (query: string) => void;
  readonly fields: readonly QueryField[];
  /** Known values of a field that begin with a text. */
  readonly valuesOf?: (field: string, signal: AbortSignal) => Promise<readonly string[]>;
  readonly placeholder?: string;
  /** Key that puts the focus here; none when empty. */
  readonly focusKey?: string;
  /** Every change is handed over, not only what is entered. */
  readonly isLive?: boolean;
}

interface Choice {
  readonly text: string;
  readonly about?: string;
  /** What it takes the place of. */
  readonly start: number;
  readonly end: number;
}

const MOST_CHOICES = 12;

/** Search text with what may come next, and the place where it cannot be read. The parser is the engine's own. */
export function QueryBar({ label, value, onSubmit, fields, valuesOf, placeholder, focusKey = "/", isLive = false }: QueryBarProps) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number>();
  const [chosen, setChosen] = useState(-1);
  const [values, setValues] = useState<{ readonly field: string; readonly list: readonly string[] }>();
  const input = useRef<HTMLInputElement>(null);
  const back = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => setText(value), [value]);
  useKeys("Search", focusKey ? [{ keys: focusKey, label: "To the query", run: () => input.current?.focus() }] : []);

  const parsed = parseQuery(text);
  const problem = parsed.ok ? undefined : parsed.problems[0];
  const at = caret === undefined ? undefined : wordAt(text, caret);
  useEffect(() => {
    if (!at?.field || !valuesOf || values?.field === at.field) return;
    const field = at.field;
    const abort = new AbortController();
    const timer = setTimeout(() => void valuesOf(field, abort.signal).then((list) => setValues({ field, list }), () => setValues({ field, list: [] })), 120);
    return () => (clearTimeout(timer), abort.abort());
  }, [at?.field, valuesOf, values?.field]);
  const choices = at ? choicesOf(at, fields, values) : [];
  const isOpen = choices.length > 0;

  const take = (choice: Choice): void => {
    const next = `${text.slice(0, choice.start)}${choice.text}${text.slice(choice.end)}`;
    const place = choice.start + choice.text.length;
    setText(next);
    if (isLive) onSubmit(next);
    setChosen(-1);
    setCaret(choice.text.endsWith(":") ? place : undefined);
    requestAnimationFrame(() => input.current?.setSelectionRange(place, place));
  };
  const submit = (): void => {
    setCaret(undefined);
    if (!problem && !isLive) onSubmit(text.trim());
  };

  return (
    <div className="query">
      <div className="query-line">
        <span className="query-icon" aria-hidden="true">⌕</span>
        <div className="query-back" ref={back} aria-hidden="true">
          {problem?.at ? (
            <>
              {text.slice(0, problem.at.start)}
              <mark>{text.slice(problem.at.start, Math.max(problem.at.end, problem.at.start + 1)) || " "}</mark>
            </>
          ) : null}
        </div>
        <input
          ref={input} type="text" role="combobox" aria-label={label} aria-expanded={isOpen} aria-controls={`${id}-list`} aria-autocomplete="list" aria-invalid={problem !== undefined} aria-describedby={problem ? `${id}-problem` : undefined}
          {...(isOpen && chosen >= 0 ? { "aria-activedescendant": `${id}-${chosen}` } : {})}
          spellCheck={false} autoComplete="off" autoCapitalize="off" placeholder={placeholder} value={text}
          onChange={(event) => (setText(event.target.value), isLive && onSubmit(event.target.value), setCaret(event.target.selectionStart ?? undefined), setChosen(-1))}
          onScroll={(event) => back.current && (back.current.scrollLeft = event.currentTarget.scrollLeft)}
          onBlur={() => setCaret(undefined)}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" && !isOpen) return void (event.preventDefault(), setCaret(event.currentTarget.selectionStart ?? undefined));
            if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
              event.preventDefault();
              setChosen((chosen + (event.key === "ArrowDown" ? 1 : choices.length + (chosen < 0 ? 0 : -1))) % choices.length);
            } else if (isOpen && (event.key === "Tab" || event.key === "Enter") && chosen >= 0) {
              event.preventDefault();
              take(choices[chosen]!);
            } else if (event.key === "Enter") {
              event.preventDefault();
              submit();
            } else if (event.key === "Escape") {
              event.preventDefault();
              if (isOpen) setCaret(undefined);
              else event.currentTarget.blur();
            }
          }}
        />
        {text !== "" && (
          <button type="button" className="icon-button" aria-label="Clear the query" onClick={() => (setText(""), onSubmit(""))}>
            ✕
          </button>
        )}
      </div>
      {isOpen && (
        <ul className="query-choices" role="listbox" id={`${id}-list`} aria-label="Completions">
          {choices.map((choice, i) => (
            <li key={choice.text} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onMouseDown={(event) => (event.preventDefault(), take(choice))}>
              <span>{visible(choice.text)}</span>
              {choice.about && <span className="query-about">{choice.about}</span>}
            </li>
          ))}
        </ul>
      )}
      {problem && (
        <p className="query-problem" id={`${id}-problem`} role="alert">
          {visible(problem.message)}
          {problem.hint ? `: ${visible(problem.hint)}` : ""}
        </p>
      )}
    </div>
  );
}

interface Word {
  /** What is being written: the name of a field, or a value of `field`. */
  readonly typed: string;
  readonly field: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** What stands before the caret: the beginning of a field's name, or of its value. */
function wordAt(text: string, caret: number): Word | undefined {
  const match = /(?:^|[\s(])-?((@?[\w.-]+):"?)?((?<=")[^"]*|[^\s()":]*)$/.exec(text.slice(0, caret));
  if (!match) return undefined;
  const [, head, field, typed = ""] = match;
  const start = caret - typed.length - (head?.endsWith('"') ? 1 : 0);
  const rest = /^[^\s()":]*"?/.exec(text.slice(caret))![0];
  return { typed, field, start, end: head ? caret + rest.length : caret };
}

function choicesOf({ typed, field, start, end }: Word, fields: readonly QueryField[], values: { readonly field: string; readonly list: readonly string[] } | undefined): Choice[] {
  const wanted = typed.toLowerCase();
  const ranked = <T,>(list: readonly T[], textOf: (item: T) => string): T[] => {
    const scored = list.flatMap((item) => {
      const at = textOf(item).toLowerCase().indexOf(wanted);
      return at < 0 ? [] : [{ item, at: at === 0 ? 0 : 1 }];
    });
    return scored.toSorted((a, b) => a.at - b.at).slice(0, MOST_CHOICES).map(({ item }) => item);
  };
  if (field !== undefined) return values?.field === field ? ranked(values.list, (value) => value).map((value) => ({ text: quoted(value), start, end })) : [];
  return ranked(fields, ({ name }) => name).map(({ name, about }) => ({ text: `${name}:`, ...(about ? { about } : {}), start, end }));
}
