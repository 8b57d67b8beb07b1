import { ServerConnection } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { IChanged } from '../wire';
import { address } from './request';

/** Milliseconds until the first attempt to connect again, and at most; each failure doubles it. */
export const FIRST_WAIT = 1_000;
export const LONGEST_WAIT = 30_000;

export interface IListener {
  /** The server says that something changed. */
  told(): void;
  /** The line is up or down. */
  linked(up: boolean): void;
}

/** Word of changes from the server about one notebook, over a socket that comes back when it breaks. */
export class Events implements IDisposable {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly notebook: string,
    private readonly listener: IListener
  ) {
    this.connect();
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.disposed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private connect(): void {
    const { settings } = this;
    const query: Record<string, string> = { notebook: this.notebook };
    if (settings.appendToken && settings.token) {
      query.token = settings.token;
    }
    const socket = new settings.WebSocket(address(settings.wsUrl, 'events', query));
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.say(up => up.linked(true));
    };
    socket.onmessage = event => {
      const message = JSON.parse(String(event.data)) as IChanged;
      if (message.type === 'changed') {
        this.say(up => up.told());
      }
    };
    socket.onclose = () => {
      this.say(up => up.linked(false));
      this.connectLater();
    };
  }

  private connectLater(): void {
    if (this.disposed) {
      return;
    }
    const spread = 0.5 + Math.random() / 2; // so that many panels do not knock at once when a server is back
    this.timer = setTimeout(() => this.connect(), this.wait * spread);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  private say(word: (listener: IListener) => void): void {
    if (!this.disposed) {
      word(this.listener);
    }
  }

  private disposed = false;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
}
