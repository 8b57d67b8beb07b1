import { ServerConnection } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Events, FIRST_WAIT, LONGEST_WAIT } from '../src/services/events';

class SampleSocket {
  static made: SampleSocket[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: () => void = () => undefined;
  closed = false;

  constructor(readonly url: string) {
    SampleSocket.made.push(this);
  }

  close(): void {
    this.closed = true;
    this.onclose();
  }
}

const settings = {
  wsUrl: 'ws://host/base/',
  token: 'a b',
  appendToken: true,
  WebSocket: SampleSocket
} as unknown as ServerConnection.ISettings;

const last = (): SampleSocket => SampleSocket.made[SampleSocket.made.length - 1];
let heard: string[];
const listener = {
  onChanged: () => heard.push('told'),
  connected: (up: boolean) => heard.push(up ? 'up' : 'down')
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  SampleSocket.made = [];
  heard = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('Events', () => {
  it('names the notebook and shows the token', () => {
    new Events(settings, 'a b/é&.ipynb', listener);
    expect(last().url).toBe(
      'ws://host/base/mlops-jupyter/events?notebook=a%20b%2F%C3%A9%26.ipynb&token=a%20b'
    );
    new Events({ ...settings, appendToken: false }, 'a.ipynb', listener);
    expect(last().url).toBe('ws://host/base/mlops-jupyter/events?notebook=a.ipynb');
  });

  it('passes changes on and ignores what it does not know', () => {
    new Events(settings, 'a.ipynb', listener);
    last().onopen();
    last().onmessage({ data: '{"type": "changed"}' });
    last().onmessage({ data: '{"type": "later version"}' });
    expect(heard).toEqual(['up', 'told']);
  });

  it('comes back, waiting longer each time', () => {
    new Events(settings, 'a.ipynb', listener);
    let wait = FIRST_WAIT;
    for (let attempt = 1; attempt < 10; attempt++) {
      last().close();
      vi.advanceTimersByTime(wait - 1);
      expect(SampleSocket.made.length).toBe(attempt);
      vi.advanceTimersByTime(1);
      expect(SampleSocket.made.length).toBe(attempt + 1);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
    last().onopen();
    last().close();
    vi.advanceTimersByTime(FIRST_WAIT);
    expect(SampleSocket.made.length).toBe(11);
  });

  it('stays away once disposed', () => {
    const events = new Events(settings, 'a.ipynb', listener);
    last().onopen();
    events.dispose();
    events.dispose();
    expect(last().closed).toBe(true);
    vi.advanceTimersByTime(10 * LONGEST_WAIT);
    expect(SampleSocket.made.length).toBe(1);
    expect(heard).toEqual(['up']);
  });

  it('stays away when disposed between two attempts', () => {
    const events = new Events(settings, 'a.ipynb', listener);
    last().close();
    events.dispose();
    vi.advanceTimersByTime(10 * LONGEST_WAIT);
    expect(SampleSocket.made.length).toBe(1);
  });
});
