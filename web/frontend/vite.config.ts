import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The table's code is asked for by a script; that it will be needed the document says at once. */
const preloadTable: Plugin = {
  name: "preload-table",
  transformIndexHtml: {
    order: "post",
    handler: (html, { bundle, path }) => {
      const chunks = Object.values(bundle ?? {}).filter((file) => file.type === "chunk");
      const table = chunks.find((chunk) => chunk.facadeModuleId?.endsWith("/src/app.ts"));
      if (!table || path !== "/index.html") return [];
      const missing = [table.fileName, ...table.imports].filter((name) => !html.includes(name));
      return missing.map((name) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `./${name}` }, injectTo: "head" }));
    },
  },
};

// Everything the page needs is bundled: no request leaves the host. Assets carry a content hash, so they can be cached for ever.
export default defineConfig({
  base: "./", // the page works wherever it lies
  plugins: [preloadTable],
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
