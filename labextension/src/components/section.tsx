import * as React from 'react';

export interface ISectionProps {
  readonly title: string;
  /** Text beside the title, in a quieter colour. */
  readonly aside?: string;
  readonly children: React.ReactNode;
}

/** A titled part of the panel. */
export function Section({ title, aside, children }: ISectionProps): JSX.Element {
  const id = React.useId();
  return (
    <section className="mlops-Section" aria-labelledby={id}>
      <header className="mlops-Section-header">
        <h3 id={id}>{title}</h3>
        {aside ? (
          <span className="mlops-Section-aside" title={aside}>
            {aside}
          </span>
        ) : null}
      </header>
      {children}
    </section>
  );
}

export interface IHintProps {
  readonly children: React.ReactNode;
  /** The button that does it, if there is one. */
  readonly action?: { readonly label: string; readonly act: () => void };
}

/** What to do where there is nothing to show yet. */
export function Hint({ children, action }: IHintProps): JSX.Element {
  return (
    <div className="mlops-Hint">
      <p>{children}</p>
      {action ? (
        <button
          type="button"
          className="mlops-Button jp-mod-styled jp-mod-accept"
          onClick={action.act}
        >
          {action.label}
        </button>
      ) : null}
    </div>
  );
}
