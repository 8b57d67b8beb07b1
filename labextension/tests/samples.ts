import { Signal } from '@lumino/signaling';
import { ICurrentNotebook } from '../src/tokens';
import { IRun, IState, IStep } from '../src/wire';

export function recorded(name: string, more: Partial<IStep> = {}): IStep {
  return { name, state: 'fresh', version: 'v1', inputs: [], outputs: [], updated: 0, ...more };
}

export function run(name: string, more: Partial<IRun> = {}): IRun {
  return {
    id: name,
    name,
    experiment: 'churn',
    status: 'finished',
    started: 1000,
    ended: 1075,
    metrics: {},
    parameters: {},
    ...more
  };
}

export function state(more: Partial<IState> = {}): IState {
  return {
    notebook: 'a.ipynb',
    project: '',
    session: { id: 's', started: 0 },
    recorder: { state: 'on', executions: 0, last: null },
    steps: [],
    runs: [],
    ...more
  };
}

/** A notebook whose path and marks a test sets. */
export class SampleNotebook implements ICurrentNotebook {
  path: string | null = null;
  marks: readonly string[] = [];
  readonly pathChanged = new Signal<this, void>(this);
  readonly marksChanged = new Signal<this, void>(this);
  readonly kernelChanged = new Signal<this, void>(this);

  turn(path: string | null): void {
    this.path = path;
    this.pathChanged.emit();
  }
}

/** A promise that a test settles. */
export function open<T>(): {
  promise: Promise<T>;
  give: (value: T) => void;
  fail: (fault: unknown) => void;
} {
  let give: (value: T) => void = () => undefined;
  let fail: (fault: unknown) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    give = resolve;
    fail = reject;
  });
  return { promise, give, fail };
}

/** Let what is settled come through. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await Promise.resolve();
  }
}
