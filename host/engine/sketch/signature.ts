import { KIND_OF_SIGNATURE } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

/** MinHash signatures of one length: estimates of similarity with a standard error of sqrt(J (1 - J) / length). */
export class Signatures extends Sketch {
  readonly length: number;

  private constructor(room: SketchRoom, at: number, length: number) {
    super(room, at);
    this.length = length;
  }

  static start(room: SketchRoom, length = 128, seed = 0n): Signatures {
    const fits = length >= 4 && length <= 256 && length % 4 === 0;
    const at = room.place(fits ? room.kernel.signatureBytes(length) : 0, "signature");
    started(room.kernel.signatureStart(at, length, seed), "signature");
    return new Signatures(room, at, length);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Signatures | undefined {
    const at = room.restore(bytes, KIND_OF_SIGNATURE);
    return at === undefined ? undefined : new Signatures(room, at, (bytes.length - 48) / 8);
  }

  /** Writes the signature of a token set to `out`, u32[length]. */
  write(tokens: number, count: number, out: number): void {
    this.room.kernel.signature(this.at, tokens, count, out);
  }

  /** Estimated similarity of the sets of two signatures. */
  similarity(a: number, b: number): number {
    return this.room.kernel.agreeing(a, b, this.length) / this.length;
  }
}
