// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';
import { RUN_LOOKS, STEP_LOOKS } from '../src/components/badge';
import { IPanelProps, Panel } from '../src/components/panel';
import { IStepRow } from '../src/tokens';
import { run, state } from './samples';

function show(more: Partial<IPanelProps>): IPanelProps {
  const props: IPanelProps = {
    view: { phase: 'ready', state: state() },
    live: true,
    notebook: 'a.ipynb',
    steps: [],
    onRefresh: vi.fn(),
    onLoad: vi.fn(),
    onMark: vi.fn(),
    onReveal: vi.fn(),
    ...more
  };
  render(<Panel {...props} />);
  return props;
}

const step = (more: Partial<IStepRow> = {}): IStepRow => ({
  name: 'load',
  state: 'fresh',
  inputs: [],
  outputs: [],
  cells: 1,
  ...more
});

const button = (name: RegExp): HTMLElement => screen.getByRole('button', { name });

describe('where there is nothing to show', () => {
  it.each<[IPanelProps['view'], RegExp]>([
    [{ phase: 'no-notebook' }, /Open a notebook/],
    [{ phase: 'loading' }, /Loading/],
    [{ phase: 'failed', message: 'the reason' }, /the reason/]
  ])('%j', (view, text) => {
    show({ view });
    expect(screen.getByText(text)).toBeTruthy();
  });

  it('tries again', () => {
    const { onRefresh } = show({ view: { phase: 'failed', message: 'no' } });
    expect(screen.getByRole('alert')).toBeTruthy();
    fireEvent.click(button(/Try again/));
    fireEvent.click(button(/Refresh/));
    expect(onRefresh).toHaveBeenCalledTimes(2);
  });

  it('says what to do about steps and runs', () => {
    const { onMark } = show({});
    expect(screen.getByText('%%pipeline NAME')).toBeTruthy();
    expect(screen.getByText('%track start NAME')).toBeTruthy();
    fireEvent.click(button(/Mark the active cell/));
    expect(onMark).toHaveBeenCalledOnce();
  });

  it('says that it is not live', () => {
    show({ live: false });
    expect(screen.getByRole('status').textContent).toMatch(/Not live/);
  });
});

describe('the recorder', () => {
  it.each([
    ['on', 'Recording', false],
    ['ended', 'Not recording', true],
    ['absent', 'Not recorded yet', true]
  ] as const)('%s', (recorderState, headline, hinted) => {
    const recorder = { state: recorderState, executions: 3, last: null };
    const { onLoad } = show({ view: { phase: 'ready', state: state({ recorder }) } });
    expect(screen.getByTestId('mlops-recorder').textContent).toBe(headline);
    const add = screen.queryByRole('button', { name: 'Add the cell' });
    expect(add !== null).toBe(hinted);
    if (add !== null) {
      fireEvent.click(add);
      expect(onLoad).toHaveBeenCalledOnce();
    }
  });

  it('tells of the last execution', () => {
    const last = {
      status: 'error',
      step: 'train',
      error: 'ValueError: <b>',
      ended: 5,
      seconds: 0.2
    } as const;
    show({
      view: { phase: 'ready', state: state({ recorder: { state: 'on', executions: 1, last } }) }
    });
    expect(screen.getByTestId('mlops-executions').textContent).toBe('1 execution');
    expect(screen.getByTestId('mlops-last').textContent).toBe('The last failed, 200 ms in train');
    expect(screen.getByText('ValueError: <b>')).toBeTruthy();
  });
});

describe('steps', () => {
  it.each(Object.entries(STEP_LOOKS))('%s is an icon and a word', (name, look) => {
    show({ steps: [step({ state: name as IStepRow['state'] })] });
    const badge = screen.getByText(look.word);
    expect(badge.parentElement?.querySelector('svg')).toBeTruthy();
  });

  it('is a button that says all and goes to the cells', () => {
    const inputs = ['~numpy.random', 'customers'];
    const { onReveal } = show({
      steps: [step({ name: 'train', state: 'stale', inputs, outputs: ['model'], cells: 2 })]
    });
    fireEvent.click(
      button(
        /^Step train, stale, takes customers, numpy.random state, gives model. Go to its 2 cells.$/
      )
    );
    expect(onReveal).toHaveBeenCalledWith('train');
  });

  it('is no button without cells', () => {
    show({ steps: [step({ cells: 0 })] });
    expect(within(screen.getByTestId('mlops-steps')).queryByRole('button')).toBeNull();
    expect(screen.getByTitle(/no cell of this notebook/)).toBeTruthy();
  });
});

describe('runs', () => {
  it.each(Object.entries(RUN_LOOKS))('%s is an icon and a word', (status, look) => {
    const runs = [run('baseline', { status: status as keyof typeof RUN_LOOKS })];
    show({ view: { phase: 'ready', state: state({ runs }) } });
    expect(screen.getByText(look.word).parentElement?.querySelector('svg')).toBeTruthy();
  });

  it('opens to show all that was logged', () => {
    const runs = [
      run('baseline', { metrics: { auc: 0.91, loss: 'NaN' }, parameters: { depth: '3' } }),
      run('second', { ended: null })
    ];
    show({ view: { phase: 'ready', state: state({ runs, project: 'churn' }) } });
    expect(screen.getByText('in churn')).toBeTruthy();
    const row = button(/^baseline/);
    expect(row.textContent).toContain('auc 0.91');
    expect(row.getAttribute('aria-expanded')).toBe('false');
    fireEvent.click(row);
    expect(row.getAttribute('aria-expanded')).toBe('true');
    expect(screen.getByText('2 metrics')).toBeTruthy();
    expect(screen.getByText('1 parameter')).toBeTruthy();
    expect(screen.getByText('1 min 15 s')).toBeTruthy();
    fireEvent.click(row);
    expect(screen.queryByText('2 metrics')).toBeNull();
  });

  it('shows names as text', () => {
    const name = '<img src=x onerror=alert(1)>';
    show({ view: { phase: 'ready', state: state({ runs: [run(name)] }) } });
    expect(screen.getByText(name)).toBeTruthy();
    expect(document.querySelector('img')).toBeNull();
  });
});
