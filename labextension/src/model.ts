/** What is known of sessions and workspaces, kept up to date only while somebody looks. */

import { VDomModel } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';

import { Api, IOverview, ISession, IStart, IWorkspace } from './api';
import { Current } from './current';
import { stateName } from './words';

const INTERVAL_MS = 5_000;
const INTERVAL_WHILE_STARTING_MS = 1_000;
const LONGEST_INTERVAL_MS = 60_000;

export class Model extends VDomModel {
  constructor(
    readonly api: Api,
    readonly current: Current
  ) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.look(),
      frequency: { interval: INTERVAL_MS, backoff: true, max: LONGEST_INTERVAL_MS },
      name: 'deepnote-kernel:sessions',
      standby: () => (this.isPanelVisible || current.isForSession ? 'when-hidden' : true)
    });
    void this.poll.start();
    current.changed.connect(this.onCurrentChanged, this);
  }

  sessions: readonly ISession[] = [];
  starts: readonly IStart[] = [];

  /** Null until they have been asked for: only the side panel shows them. */
  workspaces: readonly IWorkspace[] | null = null;

  /** Why there is no news of sessions. */
  problem = '';

  /** Seconds since then. */
  get workspacesAge(): number {
    return (performance.now() - this.lookedAtWorkspaces) / 1000;
  }

  /** Why there is no news of workspaces. */
  workspacesProblem = '';

  /** Whether the side panel is in sight. */
  get isPanelVisible(): boolean {
    return this._isPanelVisible;
  }
  set isPanelVisible(value: boolean) {
    this._isPanelVisible = value;
    if (value) {
      void this.refresh();
      void this.lookAtWorkspaces();
    }
  }

  /** The session of the notebook in front. */
  get session(): ISession | undefined {
    const kernel = this.current.kernel;
    return kernel ? this.sessions.find(session => session.kernel_id === kernel.id) : undefined;
  }

  /** What a session is doing. The notebook in front knows sooner than the server is asked. */
  stateOf(session: ISession): string {
    const told = this.current.kernel?.status;
    const isCurrent = session === this.session && ['busy', 'idle'].includes(session.state);
    return isCurrent && (told === 'busy' || told === 'idle') ? told : stateName(session);
  }

  /** Whether the notebook in front had a session, which is gone. */
  get hasEnded(): boolean {
    const kernel = this.current.kernel;
    return !!kernel && !this.session && this.seen.has(kernel.id);
  }

  /** Ask for sessions now. */
  async refresh(): Promise<void> {
    await this.poll.refresh();
    await this.poll.tick;
  }

  /** Ask for workspaces now. */
  async lookAtWorkspaces(): Promise<void> {
    try {
      this.workspaces = await this.api.workspaces();
      this.workspacesProblem = '';
      this.lookedAtWorkspaces = performance.now();
    } catch (error) {
      this.workspacesProblem = messageOf(error);
    }
    this.stateChanged.emit();
  }

  override dispose(): void {
    this.poll.dispose();
    this.current.changed.disconnect(this.onCurrentChanged, this);
    super.dispose();
  }

  private async look(): Promise<void> {
    let overview: IOverview;
    try {
      overview = await this.api.overview();
    } catch (error) {
      this.problem = messageOf(error);
      this.stateChanged.emit();
      throw error; // the poll then asks less often
    }
    const hasStarted = overview.starts.length < this.starts.length;
    this.sessions = overview.sessions;
    this.starts = overview.starts;
    this.problem = '';
    this.sessions.forEach(session => this.seen.add(session.kernel_id));
    this.poll.frequency = { ...this.poll.frequency, interval: this.interval };
    if (hasStarted && this.isPanelVisible) {
      void this.lookAtWorkspaces(); // there may be a new notebook, and a server that is on now
    }
    this.stateChanged.emit();
  }

  private get interval(): number {
    const isStarting =
      this.starts.some(start => !start.problem) || this.sessions.some(one => one.is_pending);
    return isStarting ? INTERVAL_WHILE_STARTING_MS : INTERVAL_MS;
  }

  private onCurrentChanged(): void {
    const kernel = this.current.kernel;
    if (kernel?.status === 'restarting' || kernel?.status === 'starting') {
      this.seen.delete(kernel.id);
    }
    // A cell may have begun to start a session, and another notebook may have one.
    if (this.current.isForSession && (!this.session || kernel?.id !== this.lastKernelId)) {
      void this.poll.refresh();
    }
    this.lastKernelId = kernel?.id;
    this.stateChanged.emit();
  }

  private readonly poll: Poll;
  private readonly seen = new Set<string>();
  private lookedAtWorkspaces = 0;
  private lastKernelId: string | undefined;
  private _isPanelVisible = false;
}

/** Return what to tell a person of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
