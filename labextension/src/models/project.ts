import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { RequestFault } from '../services/request';
import { IServer } from '../services/server';
import { ICurrentNotebook, IProject, IStepRow, View } from '../tokens';
import { joinSteps } from './steps';

/** Keeps the panel's view up to date: fetches it anew when the notebook, its kernel or the ledger changes. */
export class Project implements IProject {
  constructor(
    private readonly server: IServer,
    readonly notebook: ICurrentNotebook
  ) {
    notebook.pathChanged.connect(this.follow, this);
    notebook.marksChanged.connect(this.emit, this);
    notebook.kernelChanged.connect(this.requestRefresh, this);
  }

  readonly changed = new Signal<this, void>(this);

  get view(): View {
    return this.lastView;
  }

  get live(): boolean {
    return this.connected;
  }

  get steps(): readonly IStepRow[] {
    const recorded = this.lastView.phase === 'ready' ? this.lastView.state.steps : [];
    return joinSteps(recorded, this.notebook.marks);
  }

  get active(): boolean {
    return this.watching;
  }

  set active(active: boolean) {
    if (active !== this.watching) {
      this.watching = active;
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
    this.pending = true;
    this.inFlight ??= this.refreshWhilePending().finally(() => {
      this.inFlight = null;
    });
    return this.inFlight;
  }

  /** Show the current notebook and listen to the changes of its ledger. */
  private follow(): void {
    const path = this.notebook.path;
    const pathChanged = path !== this.path;
    this.path = path;
    this.events?.dispose();
    this.events = null;
    this.connected = false;
    if (path === null) {
      this.show({ phase: 'no-notebook' });
      return;
    }
    if (pathChanged) {
      this.show({ phase: 'loading' });
    }
    if (this.watching) {
      this.events = this.server.listen(path, {
        onChanged: () => void this.refresh(),
        connected: up => this.setConnected(up)
      });
      this.requestRefresh();
    }
  }

  private requestRefresh(): void {
    if (this.watching) {
      void this.refresh();
    }
  }

  /** Fetch one view at a time; however many changes come meanwhile, they make for one more fetch. */
  private async refreshWhilePending(): Promise<void> {
    while (this.pending && !this.disposed) {
      this.pending = false;
      const path = this.path;
      if (path !== null) {
        const view = await this.fetchView(path);
        if (path === this.path) {
          this.show(view);
        }
      }
    }
  }

  private async fetchView(path: string): Promise<View> {
    try {
      return { phase: 'ready', state: await this.server.state(path) };
    } catch (fault) {
      if (fault instanceof RequestFault) {
        return { phase: 'failed', message: fault.message };
      }
      return { phase: 'failed', message: String(fault) };
    }
  }

  private setConnected(up: boolean): void {
    this.connected = up;
    this.emit();
  }

  private show(view: View): void {
    this.lastView = view;
    this.emit();
  }

  private emit(): void {
    if (!this.disposed) {
      this.changed.emit();
    }
  }

  private pending = false;
  private inFlight: Promise<void> | null = null;
  private disposed = false;
  private events: IDisposable | null = null;
  private connected = false;
  private path: string | null = null;
  private lastView: View = { phase: 'no-notebook' };
  private watching = false;
}
