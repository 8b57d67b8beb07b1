import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, InputDialog, Notification } from '@jupyterlab/apputils';
import { INotebookTracker, Notebook, NotebookActions } from '@jupyterlab/notebook';
import { markStep, stepOf, whyNoName } from '../models/marks';
import { CATEGORY, CommandIDs, LOAD_EXT } from '../tokens';

/** The commands that read and write the cells of the current notebook. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'mlops-jupyter:cells',
  description: 'Commands that mark cells as steps, find a step’s cells and turn recording on.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    { commands }: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null
  ): void => {
    const nameSchema = {
      type: 'object',
      properties: { name: { type: 'string', description: 'name of the step' } }
    };
    commands.addCommand(CommandIDs.markStep, {
      label: 'Mark cell as pipeline step…',
      caption: 'Write %%pipeline NAME at the top of the active cell',
      describedBy: { args: nameSchema },
      isEnabled: () => tracker.activeCell?.model.type === 'code',
      execute: args => markActiveCell(tracker, args.name as string | undefined)
    });
    commands.addCommand(CommandIDs.revealStep, {
      label: args => `Go to step ${args.name as string}`,
      describedBy: { args: { ...nameSchema, required: ['name'] } },
      execute: args => reveal(tracker, source => stepOf(source) === args.name)
    });
    commands.addCommand(CommandIDs.addLoadExt, {
      label: `Add a cell with ${LOAD_EXT}`,
      caption: 'At the top of the notebook; run it to record what runs after it',
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => addLoadExt(tracker)
    });
    commands.addCommand(CommandIDs.copyLoadExt, {
      label: `Copy ${LOAD_EXT}`,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        Clipboard.copyToSystem(LOAD_EXT);
        Notification.info(`Copied: paste ${LOAD_EXT} into a cell and run it.`, { autoClose: 4000 });
      }
    });
    for (const command of [CommandIDs.markStep, CommandIDs.addLoadExt, CommandIDs.copyLoadExt]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

async function markActiveCell(tracker: INotebookTracker, requested?: string): Promise<void> {
  const cell = tracker.activeCell;
  if (cell?.model.type !== 'code') {
    return;
  }
  const { sharedModel } = cell.model;
  const name = requested ?? (await askName(stepOf(sharedModel.getSource()) ?? ''));
  if (name === null) {
    return;
  }
  const problem = whyNoName(name);
  if (problem !== null) {
    Notification.error(problem, { autoClose: 6000 });
    return;
  }
  sharedModel.setSource(markStep(sharedModel.getSource(), name));
}

async function askName(text: string): Promise<string | null> {
  const answer = await InputDialog.getText({
    title: 'Mark cell as pipeline step',
    label: 'Name of the step, like a Python function: load, clean_data, train',
    okLabel: 'Mark',
    required: true,
    text
  });
  return answer.button.accept ? (answer.value ?? '').trim() : null;
}

/** Select the code cells whose source matches and scroll to the first; resolves to whether there is one. */
async function reveal(
  tracker: INotebookTracker,
  matches: (source: string) => boolean
): Promise<boolean> {
  const notebook = tracker.currentWidget?.content;
  if (!notebook) {
    return false;
  }
  const indexes = indexesOf(notebook, matches);
  if (indexes.length === 0) {
    return false;
  }
  notebook.mode = 'command';
  notebook.deselectAll();
  notebook.activeCellIndex = indexes[0];
  indexes.forEach(index => notebook.select(notebook.widgets[index]));
  await notebook.scrollToItem(indexes[0], 'smart');
  notebook.activate();
  return true;
}

function indexesOf(notebook: Notebook, matches: (source: string) => boolean): number[] {
  return notebook.widgets.flatMap(({ model }, index) =>
    model.type === 'code' && matches(model.sharedModel.getSource()) ? [index] : []
  );
}

async function addLoadExt(tracker: INotebookTracker): Promise<void> {
  const notebook = tracker.currentWidget?.content;
  if (
    !notebook ||
    (await reveal(tracker, source => source.split('\n').some(line => line.trim() === LOAD_EXT)))
  ) {
    return;
  }
  notebook.activeCellIndex = 0;
  NotebookActions.insertAbove(notebook);
  notebook.activeCell?.model.sharedModel.setSource(LOAD_EXT);
  await notebook.scrollToItem(0);
  notebook.activate();
}

export default plugin;
