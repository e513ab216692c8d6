import {
  LITERAL_LENGTH, LITERAL_TEXT, LITERAL_VERIFY, MATCH_PREDICATES, MATCH_STATES, PREDICATE_BYTES, PREDICATE_LENGTH, PREDICATE_TEXT,
  PREDICATE_TEXT2, VERIFY_GLOB, VERIFY_NONE, VERIFY_WORDS, VERIFY_WORD_GLOB,
} from "../layout";
import { firstLook } from "./bits";
import { globMatches } from "./glob";
import { sameFolded, sameText } from "./text";
import { anySpanFits, anyWordFits, sequenceAround } from "./words";

let predicates: usize = 0;
let states: usize = 0;

export function openVerify(m: usize): void {
  predicates = load<u32>(m, MATCH_PREDICATES);
  states = load<u32>(m, MATCH_STATES);
}

/** Does the literal stand at `at`, and with it what its predicate asks of the value (text, length)? */
export function literalHolds(entry: usize, predicate: u32, at: usize, text: usize, length: usize): bool {
  const kind = load<u32>(entry, LITERAL_VERIFY);
  const literal = <usize>load<u32>(entry, LITERAL_TEXT);
  const literalLength = <usize>load<u32>(entry, LITERAL_LENGTH);
  const p = predicates + <usize>predicate * PREDICATE_BYTES;
  if (kind == VERIFY_NONE) return sameText(literal, at, literalLength);
  if (kind == VERIFY_GLOB) {
    return sameText(literal, at, literalLength) && firstLook(predicate)
      && globMatches(load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH), text, length, false);
  }
  if (!sameFolded(literal, at, literalLength)) return false;
  if (kind == VERIFY_WORDS) {
    return sequenceAround(at, load<u32>(p, PREDICATE_TEXT2), literalLength, load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
  }
  if (!firstLook(predicate)) return false;
  if (kind == VERIFY_WORD_GLOB) return anyWordFits(load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
  return anySpanFits(load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH), states);
}
