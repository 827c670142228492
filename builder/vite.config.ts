import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// One script and one style sheet under names that do not change, so that a new build is a change of
// these files and nothing else. Addresses are relative: the page also works below a proxy's path.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    outDir: '../api/static',
    emptyOutDir: true,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        entryFileNames: 'app.js',
        codeSplitting: false,
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith('.css')) ? 'app.css' : '[name][extname]',
      },
    },
  },
})
