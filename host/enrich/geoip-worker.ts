import { parentPort, workerData } from "node:worker_threads";
import { loadGeoip } from "./load-geoip.ts";

/** Reads databases, and goes through them, beside the thread that takes logs; their bytes are shared with it. */
parentPort!.postMessage(loadGeoip(workerData as readonly string[]));
