import * as React from 'react';
import { IStepRow } from '../tokens';
import { Badge, STEP_LOOKS } from './badge';
import { Hint, Section } from './section';
import { isHidden, showCount, showVariable } from './words';

export interface IStepsProps {
  readonly steps: readonly IStepRow[];
  readonly onReveal: (name: string) => void;
  readonly onMark: () => void;
}

/** The pipeline's steps; a click goes to a step's cells. */
export function Steps({ steps, onReveal, onMark }: IStepsProps): JSX.Element {
  return (
    <Section
      title="Pipeline"
      aside={steps.length > 0 ? showCount(steps.length, 'step') : undefined}
    >
      {steps.length === 0 ? (
        <Hint action={{ label: 'Mark the active cell', act: onMark }}>
          No steps yet. Begin a cell with <code>%%pipeline NAME</code> to make it a step.
        </Hint>
      ) : (
        <ol className="mlops-List" data-testid="mlops-steps">
          {steps.map(step => (
            <li key={step.name} data-step={step.name} data-state={step.state}>
              <Step step={step} onReveal={onReveal} />
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

function Step({ step, onReveal }: { step: IStepRow } & Pick<IStepsProps, 'onReveal'>): JSX.Element {
  const look = STEP_LOOKS[step.state];
  const lines = (
    <>
      <span className="mlops-Row-head">
        <span className="mlops-Row-name mlops-ellipsis">{step.name}</span>
        <Badge look={look} />
      </span>
      <Flow word="in" names={step.inputs} />
      <Flow word="out" names={step.outputs} />
    </>
  );
  if (step.cells === 0) {
    return (
      <div
        className="mlops-Row"
        title={`${step.name}: no cell of this notebook begins with %%pipeline ${step.name}`}
      >
        {lines}
      </div>
    );
  }
  return (
    <button
      type="button"
      className="mlops-Row mlops-mod-button"
      title={`${step.name}: go to its ${showCount(step.cells, 'cell')}`}
      aria-label={ariaLabel(step)}
      onClick={() => onReveal(step.name)}
    >
      {lines}
    </button>
  );
}

function Flow({ word, names }: { word: string; names: readonly string[] }): JSX.Element | null {
  if (names.length === 0) {
    return null;
  }
  return (
    <span className="mlops-Flow">
      <span className="mlops-Flow-word">{word}</span>
      <span
        className="mlops-Flow-names mlops-ellipsis"
        title={ordered(names).map(showVariable).join(', ')}
      >
        {ordered(names).map((name, index) => (
          <React.Fragment key={name}>
            {index > 0 ? ', ' : ''}
            <span className={isHidden(name) ? 'mlops-Flow-hidden' : undefined}>
              {showVariable(name)}
            </span>
          </React.Fragment>
        ))}
      </span>
    </span>
  );
}

/** Return the names with the hidden variables last. */
function ordered(names: readonly string[]): string[] {
  return [...names].sort((a, b) => Number(isHidden(a)) - Number(isHidden(b)));
}

function ariaLabel({ name, state, inputs, outputs, cells }: IStepRow): string {
  const parts = [`Step ${name}`, STEP_LOOKS[state].word.toLowerCase()];
  if (inputs.length > 0) {
    parts.push(`takes ${ordered(inputs).map(showVariable).join(', ')}`);
  }
  if (outputs.length > 0) {
    parts.push(`gives ${ordered(outputs).map(showVariable).join(', ')}`);
  }
  return `${parts.join(', ')}. Go to its ${showCount(cells, 'cell')}.`;
}
