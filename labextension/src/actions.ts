/** What the buttons of the side panel do. */

import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { INotebook, ISession, IStart } from './api';
import { messageOf, Model } from './model';

export class Actions {
  constructor(private readonly model: Model) {}

  /** Start a session on a notebook; nothing waits for it. */
  async start(isLocal: boolean, notebook: INotebook, isScratch = false): Promise<void> {
    const where = isLocal
      ? 'this computer'
      : 'a Deepnote machine, which is paid for until it stops';
    const what = isScratch ? '' : ' It begins by running the whole notebook.';
    const body = `The session runs on ${where}.${what}`;
    if (await agreed(`Start a session on ${notebook.name}?`, body, 'Start')) {
      await this.attempt(() => this.model.api.start(isLocal, notebook.id));
    }
  }

  async dismiss(start: IStart): Promise<void> {
    await this.attempt(() => this.model.api.dismiss(start));
  }

  async interrupt(session: ISession): Promise<void> {
    await this.attempt(() => this.model.api.interrupt(session));
  }

  async stop(session: ISession): Promise<void> {
    const users = this.model.sessions.filter(other => other.id === session.id).length;
    const shared = users > 1 ? ` ${users} notebooks share it.` : '';
    const body = `Its machine stops, and its variables are lost.${shared}`;
    if (await agreed(`Stop the session on ${nameOf(session)}?`, body, 'Stop', true)) {
      await this.attempt(() => this.model.api.stop(session));
    }
  }

  /** Give a session to the notebook in front. */
  async attach(session: ISession): Promise<void> {
    const notebook = this.model.current.notebook;
    if (notebook) {
      await this.attempt(() => attach(notebook, session));
    }
  }

  private async attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      Notification.error(messageOf(error), { autoClose: 15_000 });
    }
    await this.model.refresh();
  }
}

/** Return what to call a session. */
export function nameOf(item: { notebook: INotebook }): string {
  return item.notebook.name || item.notebook.id;
}

async function agreed(
  title: string,
  body: string,
  label: string,
  isWarning = false
): Promise<boolean> {
  const yes = isWarning ? Dialog.warnButton({ label }) : Dialog.okButton({ label });
  const result = await showDialog({ title, body, buttons: [Dialog.cancelButton(), yes] });
  return result.button.accept;
}

async function attach(notebook: NotebookPanel, session: ISession): Promise<void> {
  if (!/^[\w-]+$/.test(session.id)) {
    throw new Error(`The session's id ${session.id} cannot be put into a command.`);
  }
  const code = `%deepnote attach ${session.id}`;
  if (session.state === 'busy' || session.has_left_cell) {
    // What its cell goes on to put out needs a cell to be shown in.
    NotebookActions.insertBelow(notebook.content);
    notebook.content.activeCell?.model.sharedModel.setSource(code);
    await NotebookActions.run(notebook.content, notebook.sessionContext);
    return;
  }
  const request = { code, store_history: false, stop_on_error: true, allow_stdin: false };
  const reply = await notebook.sessionContext.session?.kernel?.requestExecute(request).done;
  if (reply?.content.status === 'error') {
    throw new Error(reply.content.evalue);
  }
}
