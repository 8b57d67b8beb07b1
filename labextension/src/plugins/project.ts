import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { CurrentNotebook } from '../models/notebook';
import { Project } from '../models/project';
import { jupyterServer } from '../services/server';
import { IProject } from '../tokens';

/** Provides the project of the current notebook. */
const plugin: JupyterFrontEndPlugin<IProject> = {
  id: 'mlops-jupyter:project',
  description: 'The pipeline steps and runs of the project of the current notebook.',
  autoStart: true,
  provides: IProject,
  requires: [INotebookTracker],
  activate: ({ serviceManager }: JupyterFrontEnd, tracker: INotebookTracker): IProject => {
    const notebook = new CurrentNotebook(tracker, serviceManager.contents);
    return new Project(jupyterServer(serviceManager.serverSettings), notebook);
  }
};

export default plugin;
