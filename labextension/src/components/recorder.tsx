import * as React from 'react';
import { LOAD_EXT } from '../tokens';
import { IEnded, IRecorder } from '../wire';
import { Hint, Section } from './section';
import { showCount, showMoment, showSeconds } from './words';

export interface IRecorderProps {
  readonly recorder: IRecorder;
  readonly onLoad: () => void;
}

const HEADLINES: Readonly<Record<IRecorder['state'], string>> = {
  on: 'Recording',
  ended: 'Not recording',
  absent: 'Not recorded yet'
};

/** Whether executions are being recorded, and how the last one ended. */
export function Recorder({ recorder, onLoad }: IRecorderProps): JSX.Element {
  const { state, executions, last } = recorder;
  return (
    <Section title="Recorder">
      <div className="mlops-Recorder" data-state={state}>
        <p className="mlops-Recorder-line">
          <span className="mlops-Recorder-lamp" aria-hidden="true" />
          <strong data-testid="mlops-recorder">{HEADLINES[state]}</strong>
          {state === 'absent' ? null : (
            <span className="mlops-quiet" data-testid="mlops-executions">
              {showCount(executions, 'execution')}
            </span>
          )}
        </p>
        {last ? <Last last={last} /> : null}
      </div>
      {state === 'on' ? null : (
        <Hint action={{ label: 'Add the cell', act: onLoad }}>
          {state === 'ended'
            ? 'The kernel that recorded is gone. To go on, run '
            : 'To record what runs here, run '}
          <code>{LOAD_EXT}</code>
          {' in a cell.'}
        </Hint>
      )}
    </Section>
  );
}

const ENDINGS: Readonly<Record<IEnded['status'], string>> = {
  ok: 'ran well',
  error: 'failed',
  interrupted: 'was interrupted'
};

function Last({ last }: { last: IEnded }): JSX.Element {
  const where = last.step ? ` in ${last.step}` : '';
  const line = `The last ${ENDINGS[last.status]}, ${showSeconds(last.seconds)}${where}`;
  return (
    <>
      <p
        className="mlops-quiet mlops-ellipsis"
        data-testid="mlops-last"
        title={`${line}, ${showMoment(last.ended)}`}
      >
        {line}
      </p>
      {last.error ? (
        <p className="mlops-Recorder-error mlops-ellipsis" title={last.error}>
          {last.error}
        </p>
      ) : null}
    </>
  );
}
