import { defineConfig } from "vitest/config";

export default defineConfig({ test: { dir: import.meta.dirname, include: ["*.test.ts"], pool: "forks", maxWorkers: 2, testTimeout: 120_000, hookTimeout: 120_000 } });
