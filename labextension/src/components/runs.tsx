import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IRun } from '../wire';
import { Badge, RUN_LOOKS } from './badge';
import { Hint, Section } from './section';
import { showCount, showMoment, showNumber, showSeconds } from './words';

export interface IRunsProps {
  readonly runs: readonly IRun[];
  /** Folder of the project on the server, '' for its root; null: nothing was recorded yet. */
  readonly project: string | null;
}

/** The project's latest runs; each expands to all its metrics and parameters. */
export function Runs({ runs, project }: IRunsProps): JSX.Element {
  return (
    <Section title="Runs" aside={project ? `in ${project}` : undefined}>
      {runs.length === 0 ? (
        <Hint>
          No runs yet. Start one with <code>%track start NAME</code>, or begin a cell with{' '}
          <code>%%track</code>.
        </Hint>
      ) : (
        <ul className="mlops-List" data-testid="mlops-runs">
          {runs.map(run => (
            <li key={run.id} data-run={run.name} data-status={run.status}>
              <Run run={run} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Run({ run }: { run: IRun }): JSX.Element {
  const [open, setOpen] = React.useState(false);
  const id = React.useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <>
      <button
        type="button"
        className="mlops-Row mlops-mod-button"
        aria-expanded={open}
        aria-controls={id}
        title={`${run.name} of experiment ${run.experiment}`}
        onClick={() => setOpen(!open)}
      >
        <span className="mlops-Row-head">
          <Caret.react tag="span" className="mlops-Row-caret" aria-hidden="true" />
          <span className="mlops-Row-name mlops-ellipsis">{run.name}</span>
          <Badge look={RUN_LOOKS[run.status]} />
        </span>
        <span className="mlops-Run-facts mlops-quiet">
          <span className="mlops-ellipsis">{run.experiment}</span>
          <span>{showMoment(run.started)}</span>
        </span>
        {open ? null : <Metrics run={run} />}
      </button>
      <div id={id} hidden={!open}>
        {open ? <Details run={run} /> : null}
      </div>
    </>
  );
}

function Metrics({ run }: { run: IRun }): JSX.Element | null {
  const metrics = Object.entries(run.metrics);
  if (metrics.length === 0) {
    return null;
  }
  return (
    <span className="mlops-Run-metrics mlops-ellipsis">
      {metrics.map(([key, value]) => (
        <span key={key} className="mlops-Run-metric">
          {key} <b>{showNumber(value)}</b>
        </span>
      ))}
    </span>
  );
}

function Details({ run }: { run: IRun }): JSX.Element {
  const facts: [string, string][] = [['experiment', run.experiment]];
  if (run.ended !== null) {
    facts.push(['took', showSeconds(run.ended - run.started)]);
  }
  const metrics = Object.entries(run.metrics).map(([key, value]): [string, string] => [
    key,
    showNumber(value)
  ]);
  const parameters = Object.entries(run.parameters);
  return (
    <div className="mlops-Run-details">
      <Table title="" rows={facts} />
      <Table title={showCount(metrics.length, 'metric')} rows={metrics} />
      <Table title={showCount(parameters.length, 'parameter')} rows={parameters} />
    </div>
  );
}

function Table({
  title,
  rows
}: {
  title: string;
  rows: readonly [string, string][];
}): JSX.Element | null {
  if (rows.length === 0) {
    return null;
  }
  return (
    <>
      {title ? <h4>{title}</h4> : null}
      <dl>
        {rows.map(([key, value]) => (
          <React.Fragment key={key}>
            <dt className="mlops-ellipsis" title={key}>
              {key}
            </dt>
            <dd className="mlops-ellipsis" title={value}>
              {value}
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </>
  );
}
