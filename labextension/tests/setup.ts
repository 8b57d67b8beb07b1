import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// What lumino and JupyterLab's components ask of a browser and jsdom lacks.
const stub = (): void => undefined;
Object.assign(globalThis, {
  DragEvent: class extends MouseEvent {},
  ResizeObserver: class {
    observe = stub;
    unobserve = stub;
    disconnect = stub;
  },
  matchMedia: () => ({
    matches: false,
    addEventListener: stub,
    removeEventListener: stub,
    addListener: stub,
    removeListener: stub
  })
});

afterEach(cleanup);
