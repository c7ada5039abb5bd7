/** The side panel: sessions, projects with their notebooks, and recent runs. */

import {
  PanelWithToolbar,
  refreshIcon,
  SidePanel,
  ToolbarButton,
  UseSignal,
  ReactWidget
} from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import React from 'react';

import { Actions } from './actions';
import { panelIcon } from './icons';
import { Model } from './model';
import { ProjectList } from './projects';
import { RunList } from './runs';
import { NotebookNames, SessionList } from './sessions';

export class SessionsPanel extends SidePanel {
  /**
   * @param model - What is known; asked to keep up to date while the panel is in sight.
   * @param notebookNames - Who uses a session.
   */
  constructor(
    private readonly model: Model,
    notebookNames: NotebookNames
  ) {
    super();
    this.id = 'deepnote-sessions';
    this.addClass('jp-deepnote-Panel');
    this.title.icon = panelIcon;
    this.title.caption = 'Deepnote Sessions';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Deepnote sessions');
    const actions = new Actions(model);
    this.addSection('Sessions', () => (
      <SessionList model={model} actions={actions} notebookNames={notebookNames} />
    ));
    this.addSection('Projects', () => <ProjectList model={model} actions={actions} />);
    this.addSection('Recent Runs', () => <RunList model={model} />);
    this.toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: 'Refresh',
        onClick: () => {
          void model.refresh();
          void model.lookAtWorkspaces();
        }
      })
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.isPanelVisible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.isPanelVisible = false;
  }

  private addSection(label: string, render: () => React.ReactElement): void {
    const section = new PanelWithToolbar();
    section.title.label = label;
    const body = ReactWidget.create(
      <UseSignal signal={this.model.stateChanged}>{() => render()}</UseSignal>
    );
    body.addClass('jp-deepnote-Section');
    section.addWidget(body);
    this.addWidget(section);
  }
}
