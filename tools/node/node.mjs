#!/usr/bin/env node
// Runs the Node of the project's own manifest, wherever the package manager put it.
import { spawn } from "node:child_process";
import { pinnedNode } from "./locate.mjs";

const child = spawn(pinnedNode(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
