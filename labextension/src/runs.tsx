/** The last runs of the notebooks on each server. */

import React from 'react';

import { nameOf } from './actions';
import { IRun } from './api';
import { Model } from './model';
import { Hint, PageLink, Row } from './rows';
import { duration, joined, placeName } from './words';

export function RunList(props: { model: Model }): React.ReactElement {
  const { model } = props;
  const workspaces = model.workspaces ?? [];
  const found = workspaces.flatMap(workspace =>
    workspace.runs.map(run => ({ run, place: workspace.is_local ? placeName('local') : '' }))
  );
  found.sort((a, b) => (a.run.age_s ?? 0) - (b.run.age_s ?? 0));
  if (!found.length) {
    return <Hint>None.</Hint>;
  }
  return (
    <ul className="jp-deepnote-List" aria-label="Recent runs">
      {found.map(({ run, place }) => (
        <Row
          key={run.id}
          name={nameOf(run)}
          project={run.notebook.project}
          title={run.id}
          state={run.state}
          facts={joined(place, run.state, ...times(run, model.workspacesAge))}
        >
          <PageLink url={run.notebook.url} name={nameOf(run)} />
        </Row>
      ))}
    </ul>
  );
}

function times(run: IRun, since: number): string[] {
  return [
    run.age_s === null ? '' : `${duration(run.age_s + since)} ago`,
    run.took_s === null ? '' : `took ${duration(run.took_s)}`
  ];
}
