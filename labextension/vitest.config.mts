import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node', // a test that draws asks for jsdom itself: it takes seconds to start
    include: ['tests/**/*.test.{ts,tsx}'],
    server: { deps: { inline: [/@jupyterlab/, /@lumino/, /@jupyter/] } }
  }
});
