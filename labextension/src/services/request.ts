import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { IFault } from '../wire';

const PREFIX = 'mlops-jupyter';

/** A failed request, with one line for the user. `status` is 0 when the server was not reached. */
export class RequestFault extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
  }
}

/** Request one of our endpoints and return its JSON; throws a `RequestFault`. */
export async function requestAPI<T>(
  settings: ServerConnection.ISettings,
  endpoint: string,
  query: Record<string, string>
): Promise<T> {
  const response = await reach(settings, address(settings.baseUrl, endpoint, query));
  const text = await response.text();
  if (!response.ok) {
    throw new RequestFault(response.status, faultOf(response, text));
  }
  return JSON.parse(text) as T;
}

/** Return the URL of an endpoint under a server's base URL (http or ws). */
export function address(base: string, endpoint: string, query: Record<string, string>): string {
  return URLExt.join(base, PREFIX, endpoint) + URLExt.objectToQueryString(query);
}

async function reach(settings: ServerConnection.ISettings, url: string): Promise<Response> {
  try {
    return await ServerConnection.makeRequest(url, {}, settings);
  } catch (fault) {
    if (fault instanceof ServerConnection.NetworkError) {
      throw new RequestFault(0, 'The Jupyter server cannot be reached.');
    }
    throw fault;
  }
}

function faultOf(response: Response, text: string): string {
  try {
    return (JSON.parse(text) as IFault).message;
  } catch {
    // not our handler's JSON: an older server without the extension, or a proxy
    return response.status === 404
      ? 'The Jupyter server has no mlops_jupyter: install it in the environment of the server and restart it.'
      : `The server answered ${response.status} ${response.statusText}.`;
  }
}
