/** The item of the status bar: where the cells of the notebook in front run, and for how long. */

import { VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';

import { ISession } from './api';
import { nameOf } from './actions';
import { Place } from './current';
import { logos } from './icons';
import { Model } from './model';
import { duration, joined, placeName, sessionPlace, timeLeft } from './words';

export class StatusItem extends VDomRenderer<Model> {
  /**
   * @param model - What is known.
   * @param onClick - Shows the side panel.
   */
  constructor(
    model: Model,
    private readonly onClick: () => void
  ) {
    super(model);
    this.addClass('jp-deepnote-Status');
  }

  protected override render(): React.ReactElement | null {
    const { current, session } = this.model;
    const place = current.place && session ? sessionPlace(session) : current.place;
    if (!place) {
      return null;
    }
    const text = joined(placeName(place), this.facts(place, session));
    const explanation = this.explanation(place, session);
    const Logo = logos[place].react;
    if (place === 'strata') {
      // No button: the panel has sessions of Deepnote's alone.
      return (
        <span className="jp-StatusBar-TextItem jp-deepnote-StatusText" title={explanation}>
          <Logo tag="span" width="16px" height="16px" aria-hidden="true" />
          <span>{text}</span>
        </span>
      );
    }
    return (
      <button
        type="button"
        className="jp-StatusBar-TextItem jp-deepnote-StatusButton"
        aria-label={`${text}. Show sessions.`}
        title={`${explanation}\nClick to show all sessions.`}
        onClick={this.onClick}
      >
        <Logo tag="span" width="16px" height="16px" aria-hidden="true" />
        <span>{text}</span>
      </button>
    );
  }

  private facts(place: Place, session: ISession | undefined): string {
    if (place === 'strata') {
      return this.model.current.kernel?.status ?? '';
    }
    if (this.model.problem) {
      return 'no answer';
    }
    if (!session) {
      return this.model.hasEnded ? 'session ended' : 'no session yet';
    }
    const state = this.model.stateOf(session);
    return joined(state, duration(session.age_s), timeLeft(session, state));
  }

  private explanation(place: Place, session: ISession | undefined): string {
    if (place === 'strata') {
      return 'Cells run on a Strata server; %strata status tells more.';
    }
    if (this.model.problem) {
      return this.model.problem;
    }
    if (!session) {
      return this.model.hasEnded
        ? 'The session has ended, and its variables are lost. Run %deepnote start for a new one.'
        : 'The first cell starts a session.';
    }
    const left = timeLeft(session, this.model.stateOf(session));
    return [
      `Cells run on ${placeName(place)}, in ${joined(session.notebook.project, nameOf(session))}.`,
      `The session has been running for ${duration(session.age_s)}.`,
      left && `It ends by itself if nothing runs: ${left}.`,
      session.problem
    ]
      .filter(line => line)
      .join('\n');
  }
}
