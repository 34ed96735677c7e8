import { defineConfig } from "vitest/config";

/** Real containers share one machine: these files run one after the other. */
const alone = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "pkg/**/*.test.ts",
            "cmd/**/*.test.ts",
            "build/**/*.test.ts",
            "test/tidy.test.ts",
            "test/bench/**/*.test.ts",
          ],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "parts",
          include: [
            "test/conformance/**/*.test.ts",
            "test/datastore/**/*.test.ts",
            "test/server/**/*.test.ts",
            "test/agent/**/*.test.ts",
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: "cluster", include: ["test/cluster/**/*.test.ts"], ...alone } },
    ],
  },
});
