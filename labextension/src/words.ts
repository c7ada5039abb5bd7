/** Facts in words. */

import { ISession } from './api';
import { Place } from './current';

const NAMES: Record<Place, string> = {
  deepnote: 'Deepnote',
  local: 'Local',
  strata: 'Strata'
};

// Where a line breaks, a number stays with its unit.
const NBSP = '\u00a0';

/** Return what to call where cells run. */
export function placeName(place: Place): string {
  return NAMES[place];
}

/** Return what to call where a session runs. */
export function sessionPlace(item: { is_local: boolean }): Place {
  return item.is_local ? 'local' : 'deepnote';
}

/** Return a length of time: `40 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (!minutes) {
    return `${Math.max(0, Math.round(seconds))}${NBSP}s`;
  }
  if (!hours) {
    return `${minutes}${NBSP}min`;
  }
  return hours < 48
    ? `${hours}${NBSP}h ${minutes % 60}${NBSP}min`
    : `${Math.floor(hours / 24)}${NBSP}d ${hours % 24}${NBSP}h`;
}

/** Return what a session is doing. */
export function stateName(session: ISession): string {
  if (session.is_pending) {
    return 'starting';
  }
  if (session.state === 'idle' && session.has_left_cell) {
    return 'left with a cell';
  }
  return session.state === 'unknown' ? 'no answer' : session.state;
}

/** Return how long a session may go unused; empty where that is not known, or a cell runs. */
export function timeLeft(session: ISession, state: string): string {
  const isKnown = session.idle_left_s !== null && state !== 'busy';
  return isKnown ? `${duration(session.idle_left_s!)}${NBSP}left` : '';
}

/** Join the parts that are not empty. */
export function joined(...parts: string[]): string {
  return parts.filter(part => part).join(' · ');
}

/** Return the kind of a state, which gives its dot a colour. */
export function kindOf(state: string): 'good' | 'between' | 'bad' | 'other' {
  if (['success', 'ready', 'idle'].includes(state)) {
    return 'good';
  }
  if (['pending', 'starting', 'busy', 'running', 'stopping'].includes(state)) {
    return 'between';
  }
  return ['error', 'internal_error', 'failed', 'stopped'].includes(state) ? 'bad' : 'other';
}
