import { Token } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';
import { IState, StepState } from './wire';

/** The public commands: buttons, menus, the palette and tests all call these. */
export namespace CommandIDs {
  export const openPanel = 'mlops:open-panel';
  export const refresh = 'mlops:refresh';
  /** `{ name?: string }`: without a name the user is asked. */
  export const markStep = 'mlops:mark-step';
  /** `{ name: string }` */
  export const revealStep = 'mlops:reveal-step';
  export const addLoadExt = 'mlops:add-load-ext';
  export const copyLoadExt = 'mlops:copy-load-ext';
}

export const CATEGORY = 'MLOps';
export const PANEL_ID = 'mlops-jupyter-panel';
export const LOAD_EXT = '%load_ext mlops_jupyter';

/** What the panel shows; each phase but the first is about the current notebook. */
export type View =
  | { readonly phase: 'no-notebook' }
  | { readonly phase: 'loading' }
  | { readonly phase: 'failed'; readonly message: string }
  | { readonly phase: 'ready'; readonly state: IState };

/** A step as the panel lists it: as recorded, or only marked in the notebook. */
export interface IStepRow {
  readonly name: string;
  readonly state: StepState | 'unrun';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Number of the notebook's cells that belong to the step. */
  readonly cells: number;
}

/** The notebook that is current in the shell. */
export interface ICurrentNotebook {
  /** Its path on the server; null when there is none. */
  readonly path: string | null;
  /** Step name of each code cell that is marked, in order. */
  readonly marks: readonly string[];
  readonly pathChanged: ISignal<ICurrentNotebook, void>;
  readonly marksChanged: ISignal<ICurrentNotebook, void>;
  /** Emitted when its kernel was started, restarted, stopped or lost. */
  readonly kernelChanged: ISignal<ICurrentNotebook, void>;
}

/** The project of the current notebook. */
export interface IProject extends IDisposable {
  readonly notebook: ICurrentNotebook;
  readonly view: View;
  /** Whether the server's events are connected now. */
  readonly live: boolean;
  readonly steps: readonly IStepRow[];
  readonly changed: ISignal<IProject, void>;
  /** Whether to follow the server; a hidden panel requests nothing. */
  active: boolean;
  /** Fetch the state anew; resolves when the view shows it. */
  refresh(): Promise<void>;
}

export const IProject = new Token<IProject>(
  'mlops-jupyter:IProject',
  'The pipeline steps and runs of the project of the current notebook.'
);
