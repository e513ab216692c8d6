import { parentPort, workerData } from "node:worker_threads";
import { type FeedFile, type UploadedIndicator, loadFeeds } from "./load-feeds.ts";

/** Reads feeds beside the thread that takes logs; the table's bytes are shared with it. */
const { files, uploaded } = workerData as { readonly files: readonly FeedFile[]; readonly uploaded: readonly UploadedIndicator[] };
parentPort!.postMessage(loadFeeds(files, uploaded));
