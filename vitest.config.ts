import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Needs packages of its own: npm run test:compat.
    exclude: ["**/node_modules/**", "test/compat/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A page on a loaded machine takes more than the second that is usual.
    expect: { poll: { timeout: 20_000 } },
  },
});
