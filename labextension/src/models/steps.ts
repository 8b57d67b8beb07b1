import { IStepRow } from '../tokens';
import { IStep } from '../wire';

/**
 * The steps that were recorded, in their order, with those that are only marked in the notebook put where they stand in it.
 *
 * @param recorded as the ledger has them.
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
  let before = -1; // where the mark before this one ended up
  for (const name of new Set(marks)) {
    const at = rows.findIndex(row => row.name === name);
    if (at >= 0) {
      before = at;
    } else {
      before += 1;
      const cells = marks.filter(mark => mark === name).length;
      rows.splice(before, 0, { name, state: 'unrun', inputs: [], outputs: [], cells });
    }
  }
  return rows;
}
