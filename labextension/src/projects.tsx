/** The projects of each server and their notebooks, on which sessions can be started. */

import { addIcon, caretRightIcon, runIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { Actions } from './actions';
import { IProject, IWorkspace, SCRATCH } from './api';
import { logos } from './icons';
import { Model } from './model';
import { Hint, IconButton, PageLink, Problem, Row } from './rows';
import { placeName, sessionPlace } from './words';

export function ProjectList(props: { model: Model; actions: Actions }): React.ReactElement {
  const { model, actions } = props;
  return (
    <>
      {model.workspacesProblem && <Problem text={model.workspacesProblem} />}
      {model.workspaces?.map(workspace => (
        <Workspace key={workspace.server} {...{ workspace, actions }} />
      ))}
    </>
  );
}

function Workspace(props: { workspace: IWorkspace; actions: Actions }): React.ReactElement {
  const { workspace, actions } = props;
  const place = sessionPlace(workspace);
  const Logo = logos[place].react;
  const scratch = { id: SCRATCH, name: 'a scratch notebook', project: '', url: '' };
  return (
    <section aria-label={placeName(place)}>
      <header className="jp-deepnote-Place">
        <Logo tag="span" width="16px" height="16px" aria-hidden="true" />
        <h3 title={workspace.server}>{placeName(place)}</h3>
        <IconButton
          icon={addIcon}
          label={`Start a session on a scratch notebook: ${placeName(place)}`}
          onClick={() => actions.start(workspace.is_local, scratch, true)}
        />
      </header>
      {workspace.problem && <Problem text={workspace.problem} />}
      {!workspace.is_on && <Hint>Off. A session starts it.</Hint>}
      {workspace.is_on && !workspace.problem && !workspace.projects.length && (
        <Hint>No projects.</Hint>
      )}
      {workspace.projects.map(project => (
        <Project key={project.id} {...{ project, workspace, actions }} />
      ))}
    </section>
  );
}

function Project(props: {
  project: IProject;
  workspace: IWorkspace;
  actions: Actions;
}): React.ReactElement {
  const { project, workspace, actions } = props;
  return (
    <details className="jp-deepnote-Project">
      <summary>
        <caretRightIcon.react tag="span" className="jp-deepnote-Caret" aria-hidden="true" />
        <span className="jp-deepnote-Row-name" title={project.name}>
          {project.name}
        </span>
        <PageLink url={project.url} name={project.name} />
      </summary>
      <ul className="jp-deepnote-List" aria-label={`Notebooks of ${project.name}`}>
        {project.notebooks.map(notebook => (
          <Row key={notebook.id} name={notebook.name} title={notebook.id}>
            <PageLink url={notebook.url} name={notebook.name} />
            <IconButton
              icon={runIcon}
              label={`Start a session on ${notebook.name}`}
              onClick={() => actions.start(workspace.is_local, notebook)}
            />
          </Row>
        ))}
      </ul>
    </details>
  );
}
