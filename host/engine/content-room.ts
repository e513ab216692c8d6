import { hostImports } from "./imports.ts";
import type { Variant } from "./kernel.ts";
import { compileKernel } from "./kernel-file.ts";
import { Arena } from "./memory.ts";
import { History, type SketchKernel, SketchRoom, Words } from "./sketch/index.ts";

const PAGE = 65536;
/** The kernels' own constants end well below this. */
const START = 1024 * 1024;
/** Tokens of one set; further ones of a longer text are left out. */
const TOKEN_CAP = 1024;
/** Distinct sets of one group at most. */
const SET_CAP = 4096;

/** Where words of texts are cut and the token sets of groups are kept: a memory of its own, in the calling thread. */
export class ContentRoom {
  /** Address of the set last made. */
  readonly tokens: number;
  readonly #room: SketchRoom;
  readonly #words: Words;
  /** Histories given back, by shape. */
  readonly #free = new Map<string, History[]>();
  readonly #shapes = new Map<History, string>();

  private constructor(room: SketchRoom) {
    this.#room = room;
    this.#words = new Words(room);
    this.tokens = room.arena.alloc(TOKEN_CAP * 8 + 128);
  }

  /** @param bytes memory it may take at most; pages never touched cost nothing. */
  static async create(variant: Variant, bytes: number): Promise<ContentRoom> {
    const pages = Math.ceil((START + bytes) / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = await WebAssembly.instantiate(await compileKernel(variant), hostImports(memory));
    return new ContentRoom(new SketchRoom(instance.exports as unknown as SketchKernel, new Arena(memory, START, pages * PAGE)));
  }

  /** Token set of all words of the texts, at `tokens`; how many there are. */
  tokenSet(texts: readonly string[]): number {
    let count = 0;
    for (const text of texts) count += this.#words.hashes(text, this.tokens + count * 8, TOKEN_CAP - count);
    return this.#room.kernel.tokenSet(this.tokens, count);
  }

  /** Texts whose words the host had to cut. */
  get declined(): number {
    return this.#words.declined;
  }

  /** An empty history for so many items of so many tokens at most; undefined when there is no room for one. */
  history(items: number, tokenCap: number, similarityPercentage: number): History | undefined {
    const shape = shapeOf(items, tokenCap, similarityPercentage);
    const given = this.#free.get(shape)?.pop();
    if (given) {
      given.expire(Number.POSITIVE_INFINITY);
      return given;
    }
    const sets = Math.min(items, SET_CAP);
    try {
      const history = History.start(this.#room, { items, sets, similarityPercentage, tokenCap: Math.min(tokenCap, TOKEN_CAP), tokens: 12 });
      this.#shapes.set(history, shape);
      return history;
    } catch {
      return undefined;
    }
  }

  release(history: History): void {
    const shape = this.#shapes.get(history);
    if (shape === undefined) return;
    const list = this.#free.get(shape);
    if (list) list.push(history);
    else this.#free.set(shape, [history]);
  }

  /** A saved history; the numbers are those it was made with, so that it can be given back like any other. */
  restore(bytes: Uint8Array, items: number, tokenCap: number, similarityPercentage: number): History | undefined {
    const history = History.fromBytes(this.#room, bytes);
    if (history) this.#shapes.set(history, shapeOf(items, tokenCap, similarityPercentage));
    return history;
  }
}

function shapeOf(items: number, tokenCap: number, similarityPercentage: number): string {
  return `${items} ${tokenCap} ${similarityPercentage}`;
}
