/** The sessions that were started on this computer, and those being started. */

import { PathExt } from '@jupyterlab/coreutils';
import { closeIcon, linkIcon, stopIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { Actions, nameOf } from './actions';
import { ISession } from './api';
import { Model } from './model';
import { Hint, IconButton, PageLink, Problem, Row } from './rows';
import { duration, joined, placeName, sessionPlace, timeLeft } from './words';

/** Names of notebooks by the kernels of this Jupyter Server. */
export type NotebookNames = (kernelId: string) => string;

export function SessionList(props: {
  model: Model;
  actions: Actions;
  notebookNames: NotebookNames;
}): React.ReactElement {
  const { model, actions, notebookNames } = props;
  const isEmpty = !model.problem && !model.sessions.length && !model.starts.length;
  return (
    <>
      {model.problem && <Problem text={model.problem} />}
      {isEmpty && <Hint>None. The first cell of a Deepnote kernel starts one.</Hint>}
      <ul className="jp-deepnote-List" aria-label="Sessions">
        {model.starts.map(start => (
          <Row
            key={start.id}
            name={nameOf(start)}
            project={start.notebook.project}
            state={start.problem ? 'failed' : 'starting'}
            facts={joined(placeName(sessionPlace(start)), start.problem ? 'failed' : start.stage)}
            problem={start.problem}
          >
            <IconButton
              icon={closeIcon}
              label={`${start.problem ? 'Dismiss' : 'Give up'} ${nameOf(start)}`}
              onClick={() => actions.dismiss(start)}
            />
          </Row>
        ))}
        {model.sessions.map(session => (
          <SessionRow
            key={session.id + session.notebook.id}
            {...{ model, actions, session, notebookNames }}
          />
        ))}
      </ul>
    </>
  );
}

function SessionRow(props: {
  model: Model;
  actions: Actions;
  session: ISession;
  notebookNames: NotebookNames;
}): React.ReactElement {
  const { model, actions, session, notebookNames } = props;
  const name = nameOf(session);
  const state = model.stateOf(session);
  const isOurs = session === model.session;
  const user = isOurs
    ? 'this\u00a0notebook'
    : notebookNames(session.kernel_id) || PathExt.basename(session.document);
  const canAttach = !isOurs && !session.is_pending && model.current.place === sessionPlace(session);
  return (
    <Row
      name={name}
      title={session.id}
      project={session.notebook.project}
      state={state}
      facts={joined(
        placeName(sessionPlace(session)),
        state,
        duration(session.age_s),
        timeLeft(session, state),
        user
      )}
      problem={session.problem}
    >
      {canAttach && (
        <IconButton
          icon={linkIcon}
          label={`Attach the open notebook to ${name}`}
          onClick={() => actions.attach(session)}
        />
      )}
      <PageLink url={session.notebook.url} name={name} />
      <IconButton
        icon={stopIcon}
        label={`Interrupt ${name}`}
        disabled={state !== 'busy' && !session.has_left_cell}
        onClick={() => actions.interrupt(session)}
      />
      <IconButton
        icon={closeIcon}
        label={`Stop the session on ${name}`}
        onClick={() => actions.stop(session)}
      />
    </Row>
  );
}
