// Builds the screens into qa/web/static and refuses a bundle over its budget.
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// All scripts and styles of the screens together, compressed as they travel; raise it only with a reason in the changelog.
const BUDGET_KB = 380;

function budget(): Plugin {
  return {
    name: "budget",
    generateBundle(_options, bundle) {
      const sizes = Object.values(bundle).map((file) => gzipSync(file.type === "chunk" ? file.code : file.source).length);
      const total = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1000);
      if (total > BUDGET_KB) {
        this.error(`the screens weigh ${total} kB compressed, over their budget of ${BUDGET_KB} kB; load less or lazily`);
      }
      this.info(`bundle: ${total} kB compressed, budget ${BUDGET_KB} kB`);
    },
  };
}

export default defineConfig({
  plugins: [react(), budget()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "antd", test: /node_modules[\\/](antd|@ant-design|@rc-component)/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
