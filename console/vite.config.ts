import { defineConfig } from 'vite';

// Everything that the page needs is in its own files: it works without the Internet, and under a strict Content-Security-Policy.
export default defineConfig({
  base: '/talk/',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  // `npm run dev` beside a running server.
  server: { proxy: { '^/talk/[0-9a-f-]+/': 'http://127.0.0.1:8080', '^/calls/': { target: 'ws://127.0.0.1:8080', ws: true } } },
});
