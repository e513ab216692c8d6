import type { Variant } from "../kernel.ts";
import type { KernelPlaces, PastedAnswer, PastedQuestion } from "./contract.ts";
import { PageKernel } from "./page-kernel.ts";

/** What of a page's worker is used here; this room is compiled with Node's names. */
interface PageWorker {
  onmessage: (event: { readonly data: PastedQuestion }) => void;
  postMessage(answer: PastedAnswer): void;
}

const page = globalThis as unknown as PageWorker;
let kernel: Promise<PageKernel> | undefined;

page.onmessage = ({ data }) => void answer(data).then((told) => page.postMessage(told));

async function answer(question: PastedQuestion): Promise<PastedAnswer> {
  try {
    return { kind: "matches", matches: await (await (kernel ??= load(question.kernels))).match(question) };
  } catch (error) {
    // The next question begins anew.
    kernel = undefined;
    return { kind: "fault", text: error instanceof Error ? error.message : String(error) };
  }
}

async function load(places: KernelPlaces): Promise<PageKernel> {
  const compiled = async (variant: Variant): Promise<PageKernel> => {
    const answered = await fetch(places[variant]);
    if (!answered.ok) throw new Error(`the kernels could not be fetched: ${answered.status}`);
    return new PageKernel(await WebAssembly.compile(new Uint8Array(await answered.arrayBuffer())), variant);
  };
  try {
    return await compiled("simd");
  } catch (error) {
    // Browsers without SIMD do not know its instructions.
    if ((error as Error).name !== "CompileError") throw error;
    return await compiled("scalar");
  }
}
