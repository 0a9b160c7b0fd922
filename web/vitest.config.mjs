import { defineConfig } from "vitest/config";

/** Unit tests of the browser code: one test file for each source file, same path under tests/. */
export default defineConfig({
  // The message files are held to the server's own words, which lie beside this folder.
  server: { fs: { allow: [".."] } },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    unstubGlobals: true,
    allowOnly: false,
    testTimeout: 5_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
