import { beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../src/models/project';
import { IListener } from '../src/services/events';
import { RequestFault } from '../src/services/request';
import { IServer } from '../src/services/server';
import { IState } from '../src/wire';
import { open, recorded, SampleNotebook, settle, state } from './samples';

class SampleServer implements IServer {
  readonly asked: string[] = [];
  readonly answers: ReturnType<typeof open<IState>>[] = [];
  readonly listening = new Map<string, IListener>();

  state(notebook: string): Promise<IState> {
    this.asked.push(notebook);
    this.answers.push(open<IState>());
    return this.answers[this.answers.length - 1].promise;
  }

  listen(notebook: string, listener: IListener): { isDisposed: boolean; dispose: () => void } {
    this.listening.set(notebook, listener);
    return { isDisposed: false, dispose: () => this.listening.delete(notebook) };
  }

  async give(answer: IState): Promise<void> {
    this.answers[this.answers.length - 1].give(answer);
    await settle();
  }
}

let server: SampleServer;
let notebook: SampleNotebook;
let project: Project;
let phases: string[];

beforeEach(() => {
  server = new SampleServer();
  notebook = new SampleNotebook();
  project = new Project(server, notebook);
  phases = [];
  project.changed.connect(({ view }) => phases.push(view.phase));
});

describe('Project', () => {
  it('asks for nothing while nobody looks', () => {
    notebook.turn('a.ipynb');
    notebook.kernelChanged.emit();
    expect(server.asked).toEqual([]);
    expect(server.listening.size).toBe(0);
  });

  it('asks and listens when it wakes, and stops when it sleeps', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    expect(server.asked).toEqual(['a.ipynb']);
    await server.give(state());
    expect(phases).toEqual(['loading', 'ready']);
    project.active = false;
    expect(server.listening.size).toBe(0);
    expect(project.view.phase).toBe('ready'); // what it knew is there at once when it wakes again
  });

  it('asks once more for any number of changes while an answer is under way', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    const listener = server.listening.get('a.ipynb');
    listener?.onChanged();
    listener?.onChanged();
    listener?.onChanged();
    expect(server.asked.length).toBe(1);
    await server.give(state());
    expect(server.asked.length).toBe(2);
    await server.give(state({ steps: [recorded('load')] }));
    expect(server.asked.length).toBe(2);
    expect(project.steps.map(step => step.name)).toEqual(['load']);
  });

  it('forgets an answer about a notebook that was left', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    notebook.turn('b.ipynb');
    expect([...server.listening.keys()]).toEqual(['b.ipynb']);
    await server.give(state({ notebook: 'a.ipynb' }));
    expect(project.view.phase).toBe('loading');
    await server.give(state({ notebook: 'b.ipynb' }));
    expect(server.asked).toEqual(['a.ipynb', 'b.ipynb']);
    expect(project.view).toEqual({ phase: 'ready', state: state({ notebook: 'b.ipynb' }) });
  });

  it('shows that there is no notebook', async () => {
    project.active = true;
    notebook.turn('a.ipynb');
    await server.give(state());
    notebook.turn(null);
    expect(project.view.phase).toBe('no-notebook');
    expect(server.listening.size).toBe(0);
  });

  it.each([
    [new RequestFault(409, 'written by a newer one'), 'written by a newer one'],
    [new TypeError('odd'), 'TypeError: odd']
  ])('says why there is no answer, and asks again when told', async (fault, message) => {
    notebook.turn('a.ipynb');
    project.active = true;
    server.answers[0].fail(fault);
    await settle();
    expect(project.view).toEqual({ phase: 'failed', message });
    server.listening.get('a.ipynb')?.onChanged();
    await server.give(state());
    expect(project.view.phase).toBe('ready');
  });

  it('asks when the kernel comes or goes', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    await server.give(state());
    notebook.kernelChanged.emit();
    expect(server.asked.length).toBe(2);
  });

  it('draws anew when marks or the line change', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    await server.give(state());
    phases = [];
    notebook.marks = ['load'];
    notebook.marksChanged.emit();
    expect(project.steps).toEqual([
      { name: 'load', state: 'unrun', inputs: [], outputs: [], cells: 1 }
    ]);
    server.listening.get('a.ipynb')?.connected(true);
    expect(project.live).toBe(true);
    expect(phases.length).toBe(2);
  });

  it('says nothing more when disposed', async () => {
    notebook.turn('a.ipynb');
    project.active = true;
    project.dispose();
    await server.give(state());
    expect(server.listening.size).toBe(0);
    expect(phases).toEqual(['loading']);
  });
});
