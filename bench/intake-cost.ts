import { type ChildProcess, fork } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { corpus } from "./corpus.ts";
import { median, pairedRatio } from "./paired.ts";

const CONNECTIONS = 4;
const KILOBYTE = 1024;

interface Usage {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly bytes: number;
  readonly requests: number;
}

interface Server {
  readonly sockets: readonly Socket[];
  usage(): Promise<Usage>;
  stop(): void;
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => void child.once("message", resolve as (value: unknown) => void));
}

async function start(mode: "lane" | "http"): Promise<Server> {
  const child = fork(join(import.meta.dirname, "intake-child.ts"), [mode], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const { port } = await message<{ port: number }>(child);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => new Promise<Socket>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
  })));
  return {
    sockets,
    usage: async () => {
      const asked = message<Usage>(child);
      child.send({});
      return asked;
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      child.disconnect();
    },
  };
}

/** Sends a request over a connection again and again, each after the answer to the one before. */
function send(socket: Socket, request: Uint8Array, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    let heard = "";
    const onData = (chunk: Buffer): void => {
      heard += chunk.toString("latin1");
      if (!heard.endsWith("\r\n\r\n{}")) return;
      if (!heard.startsWith("HTTP/1.1 202 ")) throw new Error(`the server answers ${heard}`);
      heard = "";
      if (--left > 0) socket.write(request);
      else {
        socket.off("data", onData);
        resolve();
      }
    };
    socket.on("data", onData);
    socket.write(request);
  });
}

/** CPU microseconds of the server, a body: all of it, and what of it is not the system's copying. */
async function measure(server: Server, request: Uint8Array, bodyBytes: number, count: number): Promise<{ cpuUs: number; userUs: number }> {
  const before = await server.usage();
  await Promise.all(server.sockets.map((socket) => send(socket, request, count / CONNECTIONS)));
  const after = await server.usage();
  const requests = after.requests - before.requests;
  if (requests !== count || after.bytes - before.bytes !== count * bodyBytes) throw new Error(`${requests} requests of ${count} were taken, ${after.bytes - before.bytes} bytes`);
  return { cpuUs: (after.cpuUs - before.cpuUs) / count, userUs: (after.userUs - before.userUs) / count };
}

/** CPU microseconds of a server for a body of one size: all of it, and without the system's copying; ours and node:http that counts bytes. */
export interface BodyCost {
  readonly bodyKb: number;
  readonly laneUs: number;
  readonly laneUserUs: number;
  readonly httpUs: number;
  readonly httpUserUs: number;
  /** How many times ours is cheaper. */
  readonly ratio: number;
}

/** What it costs a server to have bodies of `size` bytes in memory; rounds of `count` bodies, ours and the other's in turn. */
export async function bodyCost(size: number, count: number, rounds: number): Promise<BodyCost> {
  const body = Buffer.from(corpus("mix", size + 64 * KILOBYTE).subarray(0, size));
  const request = Buffer.concat([Buffer.from(`POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nDD-API-KEY: k\r\nContent-Length: ${size}\r\n\r\n`), body]);
  const [lane, http] = await Promise.all([start("lane"), start("http")]);
  await measure(lane, request, size, 10 * CONNECTIONS);
  await measure(http, request, size, 10 * CONNECTIONS);
  const ours = [];
  const theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await measure(lane, request, size, count));
    theirs.push(await measure(http, request, size, count));
  }
  lane.stop();
  http.stop();
  const cpu = (measured: readonly { cpuUs: number }[]): number[] => measured.map(({ cpuUs }) => cpuUs);
  const round = (value: number): number => Number(value.toFixed(1));
  return {
    bodyKb: size / KILOBYTE,
    laneUs: round(median(cpu(ours))),
    laneUserUs: round(median(ours.map(({ userUs }) => userUs))),
    httpUs: round(median(cpu(theirs))),
    httpUserUs: round(median(theirs.map(({ userUs }) => userUs))),
    ratio: Number(pairedRatio(cpu(theirs), cpu(ours)).toFixed(2)),
  };
}
