/** The calls of the server extension. The token for Deepnote never gets here. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** A notebook on the server that runs it. */
export interface INotebook {
  id: string;
  name: string;
  /** Its project's name. */
  project: string;
  /** Its page at Deepnote; empty where it has none. */
  url: string;
}

/** A session that was started on this computer. */
export interface ISession {
  id: string;
  is_local: boolean;
  server: string;
  state: string;
  age_s: number;
  /** Seconds until it ends for want of use; null where that is not known. */
  idle_left_s: number | null;
  notebook: INotebook;
  /** The kernel of this Jupyter Server whose session it is; empty where there is none. */
  kernel_id: string;
  /** The notebook on this computer whose cells ran there last; empty where that is not known. */
  document: string;
  /** Whether a cell was running when its kernel went: it may do so still. */
  has_left_cell: boolean;
  /** Whether the server has not named it yet. */
  is_pending: boolean;
  /** Why its state is not known, and what to do. */
  problem: string;
}

/** A session that was asked for in the side panel and is not ready yet. */
export interface IStart {
  id: string;
  is_local: boolean;
  notebook: INotebook;
  stage: string;
  /** Why it failed; empty while it goes on. */
  problem: string;
}

export interface IOverview {
  sessions: ISession[];
  starts: IStart[];
}

export interface IProject {
  id: string;
  name: string;
  url: string;
  notebooks: INotebook[];
}

/** A run of a notebook. */
export interface IRun {
  id: string;
  notebook: INotebook;
  state: string;
  age_s: number | null;
  took_s: number | null;
}

/** What there is on one server. */
export interface IWorkspace {
  is_local: boolean;
  server: string;
  /** Whether it can be asked: the local server runs only while somebody needs it. */
  is_on: boolean;
  projects: IProject[];
  runs: IRun[];
  problem: string;
}

/** The id that stands for an empty notebook, made when it is needed. */
export const SCRATCH = 'scratch';

/** The server extension's calls. An error carries one line to show as it is. */
export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  overview(): Promise<IOverview> {
    return this.call('GET', 'sessions');
  }

  workspaces(): Promise<IWorkspace[]> {
    return this.call('GET', 'workspaces');
  }

  start(isLocal: boolean, notebookId: string): Promise<IStart> {
    return this.call('POST', 'sessions', { is_local: isLocal, notebook_id: notebookId });
  }

  /** Give up a start, or forget one that failed. */
  dismiss(start: IStart): Promise<void> {
    return this.call('DELETE', `starts/${encodeURIComponent(start.id)}`);
  }

  interrupt(session: ISession): Promise<void> {
    const path = ['sessions', session.id, 'notebooks', session.notebook.id, 'interrupt'];
    return this.call('POST', path.map(encodeURIComponent).join('/'));
  }

  stop(session: ISession): Promise<void> {
    return this.call('DELETE', `sessions/${encodeURIComponent(session.id)}`);
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, 'deepnote', path);
    const init = { method, body: body && JSON.stringify(body) };
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    const text = await response.text();
    if (!response.ok) {
      throw new Error(messageIn(text) || `Jupyter Server answered ${response.status}.`);
    }
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

function messageIn(text: string): string {
  try {
    return JSON.parse(text).message ?? '';
  } catch {
    return '';
  }
}
