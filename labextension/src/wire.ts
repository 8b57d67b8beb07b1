// The messages of the server, generated from mlops_jupyter/surfaces/server/messages.py. Do not edit;
// write it again: python -m mlops_jupyter.surfaces.server.wire > labextension/src/wire.ts

/** One kernel with the extension loaded; `started` in seconds since the epoch. */
export interface ISession {
  readonly id: string;
  readonly started: number;
}

/** Whether the notebook's executions are being recorded. */
export type RecorderState = 'absent' | 'on' | 'ended';

/** How an execution ended. */
export type ExecutionStatus = 'ok' | 'error' | 'interrupted';

/** The last execution, with its end (seconds since the epoch) and its duration (seconds). */
export interface IEnded {
  readonly status: ExecutionStatus;
  readonly step: string | null;
  readonly error: string | null;
  readonly ended: number;
  readonly seconds: number;
}

/** The recorder of the notebook as the ledger shows it; `executions` is their number. */
export interface IRecorder {
  readonly state: RecorderState;
  readonly executions: number;
  readonly last: IEnded | null;
}

/** Whether a step's values match its current source and inputs. */
export type StepState = 'fresh' | 'stale' | 'cached' | 'failed';

/** A step of the notebook's pipeline; inputs and outputs that begin with `~` are hidden variables. */
export interface IStep {
  readonly name: string;
  readonly state: StepState;
  readonly version: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly updated: number;
}

/** The status of a run. */
export type RunStatus = 'running' | 'finished' | 'failed' | 'killed';

/** A tracked run with the latest value of each metric; times in seconds since the epoch. */
export interface IRun {
  readonly id: string;
  readonly name: string;
  readonly experiment: string;
  readonly status: RunStatus;
  readonly started: number;
  readonly ended: number | null;
  readonly metrics: Readonly<Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The answer to `GET state`. `project` is its folder below the server's root, null if nothing is recorded yet. */
export interface IState {
  readonly notebook: string;
  readonly project: string | null;
  readonly session: ISession | null;
  readonly recorder: IRecorder;
  readonly steps: readonly IStep[];
  readonly runs: readonly IRun[];
}

/** Pushed over the socket `events` when the answer to `GET state` may have changed. */
export interface IChanged {
  readonly type: 'changed';
}

/** The body of an answer with an error status: one line for the user. */
export interface IFault {
  readonly message: string;
}
