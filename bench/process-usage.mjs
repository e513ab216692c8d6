// Loaded before a measured program: tells on descriptor 3 what the whole process took, all its threads together.
import { writeSync } from "node:fs";

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, rssBytes: process.resourceUsage().maxRSS * 1024 }));
});
