// Builds the screens into qa/web/static and refuses a bundle over its budget.
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// All scripts and styles of the screens together, compressed as they travel; raise it only with a reason in the changelog.
const BUDGET_KB = 452;

// Two places of Ant Design inject a style without handing on the nonce; a page that lets in no other style needs it.
const FORGETS = "if (csp?.nonce) {\n    styleNode.nonce = csp?.nonce;\n  }";
const REMEMBERS = "styleNode.nonce = csp?.nonce ?? document.querySelector('meta[name=\"style-nonce\"]')?.content ?? '';";

function nonces(): Plugin {
  return {
    name: "nonces",
    transform(code, id) {
      if (!id.endsWith("@rc-component/util/es/Dom/dynamicCSS.js")) return null;
      if (!code.includes(FORGETS)) this.error("Ant Design now sets nonces otherwise; look again whether it needs help");
      return code.replace(FORGETS, REMEMBERS);
    },
  };
}

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
  plugins: [nonces(), react(), budget()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: "vendor", test: /node_modules[\\/](?!wavesurfer)/ }],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
