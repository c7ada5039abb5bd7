/** What the lists of the side panel are made of. */

import { LabIcon, launchIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { kindOf } from './words';

/** One thing: a state, a name, facts, and what can be done. */
export function Row(props: {
  name: string;
  project?: string;
  title?: string;
  facts?: string;
  state?: string;
  problem?: string;
  children?: React.ReactNode;
}): React.ReactElement {
  const { name, project, title, facts, state, problem, children } = props;
  return (
    <li className="jp-deepnote-Row">
      {state && <span className="jp-deepnote-Dot" data-kind={kindOf(state)} aria-hidden="true" />}
      <div className="jp-deepnote-Row-text">
        <div className="jp-deepnote-Row-name" title={title}>
          {name}
          {project && <span className="jp-deepnote-Row-project"> {project}</span>}
        </div>
        {facts && <div className="jp-deepnote-Row-facts">{facts}</div>}
        {problem && <Problem text={problem} />}
      </div>
      <div className="jp-deepnote-Row-actions">{children}</div>
    </li>
  );
}

/** A button that shows an icon. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  onClick: () => unknown;
  disabled?: boolean;
}): React.ReactElement {
  const { icon, label, onClick, disabled } = props;
  return (
    <button
      type="button"
      className="jp-deepnote-Button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={() => void onClick()}
    >
      <icon.react tag="span" elementSize="normal" aria-hidden="true" />
    </button>
  );
}

/** A link to a page at Deepnote; nothing where there is none. */
export function PageLink(props: { url: string; name: string }): React.ReactElement | null {
  const label = `Open ${props.name} on Deepnote`;
  return props.url ? (
    <a
      className="jp-deepnote-Button"
      href={props.url}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={label}
      title={label}
    >
      <launchIcon.react tag="span" elementSize="normal" aria-hidden="true" />
    </a>
  ) : null;
}

/** What went wrong, in one line; what to type stands between backticks there. */
export function Problem(props: { text: string }): React.ReactElement {
  return (
    <div className="jp-deepnote-Problem" role="alert">
      {props.text.split('`').map((part, n) => (n % 2 ? <code key={n}>{part}</code> : part))}
    </div>
  );
}

/** What stands where there is nothing to list. */
export function Hint(props: { children: React.ReactNode }): React.ReactElement {
  return <p className="jp-deepnote-Hint">{props.children}</p>;
}
