import { refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IStepRow, View } from '../tokens';
import { Recorder } from './recorder';
import { Runs } from './runs';
import { Hint } from './section';
import { Steps } from './steps';

export interface IPanelProps {
  readonly view: View;
  readonly live: boolean;
  /** File name of the notebook, '' when there is none. */
  readonly notebook: string;
  readonly steps: readonly IStepRow[];
  readonly onRefresh: () => void;
  readonly onLoad: () => void;
  readonly onMark: () => void;
  readonly onReveal: (name: string) => void;
}

/** The whole panel. */
export function Panel(props: IPanelProps): JSX.Element {
  const { view, notebook, live, onRefresh } = props;
  return (
    <>
      <header className="mlops-Panel-header">
        <h2>MLOps</h2>
        <span className="mlops-quiet mlops-ellipsis" title={notebook}>
          {notebook}
        </span>
        <button
          type="button"
          className="mlops-Panel-refresh"
          title="Refresh"
          aria-label="Refresh"
          onClick={onRefresh}
        >
          <refreshIcon.react tag="span" aria-hidden="true" />
        </button>
      </header>
      {view.phase === 'ready' && !live ? (
        <p className="mlops-Panel-offline" role="status">
          Not live: connecting to the server…
        </p>
      ) : null}
      <div className="mlops-Panel-body">
        <Body {...props} />
      </div>
    </>
  );
}

function Body({ view, steps, onRefresh, onLoad, onMark, onReveal }: IPanelProps): JSX.Element {
  switch (view.phase) {
    case 'no-notebook':
      return (
        <Hint>Open a notebook to see the steps of its pipeline and the runs of its project.</Hint>
      );
    case 'loading':
      return <p className="mlops-Hint mlops-quiet">Loading…</p>;
    case 'failed':
      return (
        <div role="alert" className="mlops-Fault">
          <Hint action={{ label: 'Try again', act: onRefresh }}>{view.message}</Hint>
        </div>
      );
    case 'ready':
      return (
        <>
          <Recorder recorder={view.state.recorder} onLoad={onLoad} />
          <Steps steps={steps} onReveal={onReveal} onMark={onMark} />
          <Runs runs={view.state.runs} project={view.state.project} />
        </>
      );
  }
}
