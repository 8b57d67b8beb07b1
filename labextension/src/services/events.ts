import { ServerConnection } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { IChanged } from '../wire';
import { address } from './request';

/** Milliseconds until the first attempt to reconnect, doubled after each failure up to the longest. */
export const FIRST_WAIT = 1_000;
export const LONGEST_WAIT = 30_000;

export interface IListener {
  /** Called when the server pushes that something changed. */
  onChanged(): void;
  /** Called when the socket is connected or lost. */
  connected(up: boolean): void;
}

/** Receives the server's events about one notebook over a WebSocket that reconnects when it breaks. */
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
      this.notify(listener => listener.connected(true));
    };
    socket.onmessage = event => {
      const message = JSON.parse(String(event.data)) as IChanged;
      if (message.type === 'changed') {
        this.notify(listener => listener.onChanged());
      }
    };
    socket.onclose = () => {
      this.notify(listener => listener.connected(false));
      this.connectLater();
    };
  }

  private connectLater(): void {
    if (this.disposed) {
      return;
    }
    const jitter = 0.5 + Math.random() / 2; // many panels do not reconnect at once when a server is back
    this.timer = setTimeout(() => this.connect(), this.wait * jitter);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  private notify(call: (listener: IListener) => void): void {
    if (!this.disposed) {
      call(this.listener);
    }
  }

  private disposed = false;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
}
