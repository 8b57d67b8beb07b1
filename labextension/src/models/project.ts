import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { RequestFault } from '../services/request';
import { IServer } from '../services/server';
import { ICurrentNotebook, IProject, IStepRow, View } from '../tokens';
import { joinSteps } from './steps';

/** Keeps what the panel shows true: asks the server when the notebook, its kernel or the ledger changes. */
export class Project implements IProject {
  constructor(
    private readonly server: IServer,
    readonly notebook: ICurrentNotebook
  ) {
    notebook.pathChanged.connect(this.follow, this);
    notebook.marksChanged.connect(this.emit, this);
    notebook.kernelChanged.connect(this.ask, this);
  }

  readonly changed = new Signal<this, void>(this);

  get view(): View {
    return this.seen;
  }

  get live(): boolean {
    return this.linked;
  }

  get steps(): readonly IStepRow[] {
    const recorded = this.seen.phase === 'ready' ? this.seen.state.steps : [];
    return joinSteps(recorded, this.notebook.marks);
  }

  get awake(): boolean {
    return this.watching;
  }

  set awake(awake: boolean) {
    if (awake !== this.watching) {
      this.watching = awake;
      this.follow();
    }
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    this.events?.dispose();
    Signal.clearData(this);
  }

  refresh(): Promise<void> {
    this.asked = true;
    this.asking ??= this.askUntilQuiet().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  /** Turn to the notebook that is current now. */
  private follow(): void {
    const path = this.notebook.path;
    const turned = path !== this.path;
    this.path = path;
    this.events?.dispose();
    this.events = null;
    this.linked = false;
    if (path === null) {
      this.show({ phase: 'no-notebook' });
      return;
    }
    if (turned) {
      this.show({ phase: 'loading' });
    }
    if (this.watching) {
      this.events = this.server.listen(path, {
        told: () => void this.refresh(),
        linked: up => this.link(up)
      });
      this.ask();
    }
  }

  private ask(): void {
    if (this.watching) {
      void this.refresh();
    }
  }

  /** One question at a time; a change meanwhile makes for one more, however many there were. */
  private async askUntilQuiet(): Promise<void> {
    while (this.asked && !this.disposed) {
      this.asked = false;
      const path = this.path;
      if (path !== null) {
        const view = await this.answer(path);
        if (path === this.path) {
          this.show(view);
        }
      }
    }
  }

  private async answer(path: string): Promise<View> {
    try {
      return { phase: 'ready', state: await this.server.state(path) };
    } catch (fault) {
      if (fault instanceof RequestFault) {
        return { phase: 'failed', message: fault.message };
      }
      return { phase: 'failed', message: String(fault) };
    }
  }

  private link(up: boolean): void {
    this.linked = up;
    this.emit();
  }

  private show(view: View): void {
    this.seen = view;
    this.emit();
  }

  private emit(): void {
    if (!this.disposed) {
      this.changed.emit();
    }
  }

  private asked = false;
  private asking: Promise<void> | null = null;
  private disposed = false;
  private events: IDisposable | null = null;
  private linked = false;
  private path: string | null = null;
  private seen: View = { phase: 'no-notebook' };
  private watching = false;
}
