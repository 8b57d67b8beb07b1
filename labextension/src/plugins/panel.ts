import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { CATEGORY, CommandIDs, IProject } from '../tokens';
import { ProjectPanel } from '../widgets/panel';

const RANK = 550; // below the file browser, running sessions and the table of contents

/** The left-hand panel and the commands about it. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'mlops-jupyter:panel',
  description: 'A panel with the pipeline steps and runs of the current notebook, live.',
  autoStart: true,
  requires: [IProject],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    { commands, shell }: JupyterFrontEnd,
    project: IProject,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const panel = new ProjectPanel(project, commands);
    shell.add(panel, 'left', { rank: RANK, type: 'MLOps' });
    restorer?.add(panel, panel.id);

    commands.addCommand(CommandIDs.openPanel, {
      label: 'MLOps',
      caption: 'Show the pipeline steps and runs of this notebook',
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => shell.activateById(panel.id)
    });
    commands.addCommand(CommandIDs.refresh, {
      label: 'Refresh the MLOps panel',
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => project.refresh()
    });
    for (const command of [CommandIDs.openPanel, CommandIDs.refresh]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

export default plugin;
