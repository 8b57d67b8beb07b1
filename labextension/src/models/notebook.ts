import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents, Kernel } from '@jupyterlab/services';
import { ISessionContext } from '@jupyterlab/apputils';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import { ICurrentNotebook } from '../tokens';
import { stepOf } from './marks';

/** Milliseconds without typing until the marks are read again. */
const QUIET = 200;

const COMES_OR_GOES: readonly Kernel.Status[] = [
  'starting',
  'restarting',
  'autorestarting',
  'terminating',
  'dead'
];

/** Follows the current notebook: its path, the steps marked in it, the life of its kernel. */
export class CurrentNotebook implements ICurrentNotebook, IDisposable {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly contents: Contents.IManager
  ) {
    tracker.currentChanged.connect(this.follow, this);
    this.follow();
  }

  readonly pathChanged = new Signal<this, void>(this);
  readonly marksChanged = new Signal<this, void>(this);
  readonly kernelChanged = new Signal<this, void>(this);

  get path(): string | null {
    return this.panel === null ? null : this.contents.localPath(this.panel.context.path);
  }

  get marks(): readonly string[] {
    return this.knownMarks;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    this.reading.dispose();
    Signal.clearData(this);
  }

  private follow(): void {
    const panel = this.tracker.currentWidget;
    if (panel === this.panel) {
      return;
    }
    this.leave();
    this.panel = panel;
    if (panel !== null) {
      panel.disposed.connect(this.follow, this);
      panel.context.pathChanged.connect(this.onPath, this);
      panel.sessionContext.kernelChanged.connect(this.onKernel, this);
      panel.sessionContext.statusChanged.connect(this.onStatus, this);
      panel.content.modelContentChanged.connect(this.onContent, this);
    }
    this.readMarks();
    this.pathChanged.emit();
  }

  private leave(): void {
    const panel = this.panel;
    if (panel !== null) {
      panel.disposed.disconnect(this.follow, this);
      panel.context.pathChanged.disconnect(this.onPath, this);
      panel.sessionContext.kernelChanged.disconnect(this.onKernel, this);
      panel.sessionContext.statusChanged.disconnect(this.onStatus, this);
      panel.content.modelContentChanged.disconnect(this.onContent, this);
    }
  }

  private onPath(): void {
    this.pathChanged.emit();
  }

  private onKernel(): void {
    this.kernelChanged.emit();
  }

  private onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (COMES_OR_GOES.includes(status)) {
      this.unsettled = true;
      this.kernelChanged.emit();
    } else if (this.unsettled) {
      this.unsettled = false; // the new kernel has its process id only now
      this.kernelChanged.emit();
    }
  }

  private onContent(): void {
    void this.reading.invoke();
  }

  private readMarks(): void {
    if (this.disposed) {
      return;
    }
    const marks = marksOf(this.panel);
    if (marks.join('\n') !== this.knownMarks.join('\n')) {
      this.knownMarks = marks;
      this.marksChanged.emit();
    }
  }

  private disposed = false;
  private panel: NotebookPanel | null = null;
  private knownMarks: readonly string[] = [];
  private unsettled = false;
  private readonly reading = new Debouncer(() => this.readMarks(), QUIET);
}

function marksOf(panel: NotebookPanel | null): string[] {
  const cells = panel?.isDisposed === false ? panel.content.model?.cells : undefined;
  return Array.from(cells ?? [])
    .filter(cell => cell.type === 'code')
    .map(cell => stepOf(cell.sharedModel.getSource()))
    .filter(name => name !== null);
}
