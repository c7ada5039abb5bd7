/** Where the cells of a notebook run, at a glance. */

import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';

import { Api } from './api';
import { Current } from './current';
import { panelIcon } from './icons';
import { Model } from './model';
import { SessionsPanel } from './panel';
import { StatusItem } from './status';

const SHOW = 'deepnote-kernel:show-sessions';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'deepnote-kernel:sessions',
  description: 'Shows where the cells of a notebook run, and all Deepnote sessions.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null
  ) => {
    const services = app.serviceManager;
    const current = new Current(tracker, services.kernelspecs);
    const model = new Model(new Api(services.serverSettings), current);
    const panel = new SessionsPanel(model, kernelId => {
      const running = [...services.sessions.running()];
      return running.find(session => session.kernel?.id === kernelId)?.name ?? '';
    });
    app.shell.add(panel, 'left', { rank: 250, type: 'Sessions and Tabs' });
    restorer?.add(panel, panel.id);

    app.commands.addCommand(SHOW, {
      label: 'Show Deepnote Sessions',
      icon: panelIcon,
      execute: () => app.shell.activateById(panel.id)
    });
    palette?.addItem({ command: SHOW, category: 'Deepnote' });
    labShell?.currentChanged.connect(() => current.update());
    statusBar?.registerStatusItem('deepnote-kernel:status', {
      align: 'left',
      rank: 3,
      item: new StatusItem(model, () => void app.commands.execute(SHOW)),
      isActive: () => current.isVisible,
      activeStateChanged: current.changed
    });
  }
};

export default plugin;
