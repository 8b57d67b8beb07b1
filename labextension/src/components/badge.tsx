import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IStepRow } from '../tokens';
import { RunStatus } from '../wire';
import {
  checkIcon,
  clockIcon,
  crossIcon,
  dottedIcon,
  ringIcon,
  stopIcon,
  storeIcon
} from './icons';

type Tone = 'good' | 'warn' | 'bad' | 'info' | 'calm';

/** How a state is shown: never by colour alone. */
export interface ILook {
  readonly word: string;
  readonly meaning: string;
  readonly tone: Tone;
  readonly icon: LabIcon;
}

export const STEP_LOOKS: Readonly<Record<IStepRow['state'], ILook>> = {
  fresh: { word: 'Fresh', meaning: 'ran as it is written now', tone: 'good', icon: checkIcon },
  stale: {
    word: 'Stale',
    meaning: 'it, or something before it, changed since it ran: run it again',
    tone: 'warn',
    icon: clockIcon
  },
  cached: {
    word: 'Cached',
    meaning: 'its values were taken from an earlier run with the same inputs',
    tone: 'info',
    icon: storeIcon
  },
  failed: { word: 'Failed', meaning: 'its last running raised', tone: 'bad', icon: crossIcon },
  unrun: {
    word: 'Not run',
    meaning: 'it is marked, but has not run yet',
    tone: 'calm',
    icon: dottedIcon
  }
};

export const RUN_LOOKS: Readonly<Record<RunStatus, ILook>> = {
  running: { word: 'Running', meaning: 'it has not ended yet', tone: 'info', icon: ringIcon },
  finished: { word: 'Finished', meaning: 'it ended well', tone: 'good', icon: checkIcon },
  failed: { word: 'Failed', meaning: 'it ended with an error', tone: 'bad', icon: crossIcon },
  killed: {
    word: 'Killed',
    meaning: 'its kernel went away while it ran',
    tone: 'warn',
    icon: stopIcon
  }
};

/** A state as an icon and a word. */
export function Badge({ look }: { look: ILook }): JSX.Element {
  return (
    <span className="mlops-Badge" data-tone={look.tone} title={look.meaning}>
      <look.icon.react tag="span" className="mlops-Badge-icon" aria-hidden="true" />
      <span className="mlops-Badge-word">{look.word}</span>
    </span>
  );
}
