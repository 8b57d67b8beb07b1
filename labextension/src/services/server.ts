import { ServerConnection } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { IState } from '../wire';
import { Events, IListener } from './events';
import { requestAPI } from './request';

/** The endpoints that the models use; tests replace it. */
export interface IServer {
  state(notebook: string): Promise<IState>;
  listen(notebook: string, listener: IListener): IDisposable;
}

/** Return the endpoints of a Jupyter server with our extension. */
export function jupyterServer(settings: ServerConnection.ISettings): IServer {
  return {
    state: notebook => requestAPI<IState>(settings, 'state', { notebook }),
    listen: (notebook, listener) => new Events(settings, notebook, listener)
  };
}
