import { defineConfig } from "vitest/config";

// Everything the page needs is bundled: no request leaves the host. Assets carry a content hash, so they can be cached for ever.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    rolldownOptions: { input: ["index.html", "tape.html"] }, // the tape needs no table, and loads none
    outDir: "dist",
    assetsDir: "assets",
    assetsInlineLimit: 0, // an inlined asset is a data: address, which the content security policy allows for images only
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500, // the budget that counts is the compressed first load: `npm run size`
  },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.ts"], environment: "node", css: true },
});
