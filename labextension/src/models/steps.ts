import { IStepRow } from '../tokens';
import { IStep } from '../wire';

/**
 * Return the recorded steps in their order, with the steps that are only marked inserted where they stand in the notebook.
 *
 * @param recorded steps of the ledger.
 * @param marks step name of each marked cell, in the notebook's order.
 */
export function joinSteps(recorded: readonly IStep[], marks: readonly string[]): IStepRow[] {
  const rows: IStepRow[] = recorded.map(({ name, state, inputs, outputs }) => ({
    name,
    state,
    inputs,
    outputs,
    cells: marks.filter(mark => mark === name).length
  }));
  let last = -1; // index of the row of the mark before this one
  for (const name of new Set(marks)) {
    const index = rows.findIndex(row => row.name === name);
    if (index >= 0) {
      last = index;
    } else {
      last += 1;
      const cells = marks.filter(mark => mark === name).length;
      rows.splice(last, 0, { name, state: 'unrun', inputs: [], outputs: [], cells });
    }
  }
  return rows;
}
