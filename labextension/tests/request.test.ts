import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';
import { RequestFault, requestAPI } from '../src/services/request';

function answering(fetch: (request: Request) => Promise<Response>): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://host/base/',
    fetch: fetch as typeof globalThis.fetch,
    token: ''
  });
}

const ask = (fetch: (request: Request) => Promise<Response>): Promise<unknown> =>
  requestAPI(answering(fetch), 'state', { notebook: 'a b.ipynb' });

describe('requestAPI', () => {
  it('asks our endpoint and reads JSON', async () => {
    let url = '';
    const answer = await ask(request => {
      url = request.url;
      return Promise.resolve(new Response('{"notebook": "a b.ipynb"}'));
    });
    expect(url).toMatch(/^http:\/\/host\/base\/mlops-jupyter\/state\?notebook=a%20b\.ipynb/);
    expect(answer).toEqual({ notebook: 'a b.ipynb' });
  });

  it.each<[string, number, string, string | RegExp]>([
    ['our own fault', 409, '{"message": "written by a newer one"}', 'written by a newer one'],
    ['a server without us', 404, '<html>', /has no mlops_jupyter/],
    ['a proxy', 502, '<html>', /answered 502/]
  ])('%s', async (_, status, body, message) => {
    const asked = ask(() => Promise.resolve(new Response(body, { status })));
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toMatchObject({ status });
    await expect(asked).rejects.toBeInstanceOf(RequestFault);
  });

  it('says that the server is away', async () => {
    const asked = ask(() => Promise.reject(new TypeError('failed to fetch')));
    await expect(asked).rejects.toMatchObject({ status: 0 });
    await expect(asked).rejects.toThrow('cannot be reached');
  });
});
