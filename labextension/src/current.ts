/** The notebook in front: whether its kernel is one of ours, and what that is doing. */

import { ISessionContext } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, KernelSpec } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

/** Where a kernel's cells run. */
export type Place = 'deepnote' | 'local' | 'strata';

/** Return where the cells of a kernelspec run; null where it is not one of ours. */
export function placeOf(spec: KernelSpec.ISpecModel | null | undefined): Place | null {
  const argv = spec?.argv ?? [];
  if (!argv.includes('deepnote_kernel')) {
    return null;
  }
  if (argv.some(word => word.endsWith('StrataKernel'))) {
    return 'strata';
  }
  return argv.some(word => word.endsWith('base_url=local')) ? 'local' : 'deepnote';
}

/** Follows the current notebook. */
export class Current {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly specs: KernelSpec.IManager
  ) {
    tracker.currentChanged.connect(this.follow, this);
    specs.specsChanged.connect(this.update, this);
    this.follow();
  }

  /** Emitted when another notebook is in front, or its kernel is another or does something else. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get notebook(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.notebook?.sessionContext.session?.kernel ?? null;
  }

  /** Where its cells run; null where its kernel is not one of ours. */
  get place(): Place | null {
    return this.kernel && placeOf(this.specs.specs?.kernelspecs[this.kernel.name]);
  }

  /** Whether a person can see a notebook whose kernel is one of ours. */
  get isVisible(): boolean {
    return this.place !== null && !!this.notebook?.isVisible;
  }

  /** Whether it may have a session of Deepnote's, too. */
  get isForSession(): boolean {
    return this.isVisible && this.place !== 'strata';
  }

  /** Look again: something else may be in front. */
  update(): void {
    this._changed.emit();
  }

  private follow(): void {
    const context = this.notebook?.sessionContext ?? null;
    if (context !== this.followed) {
      this.followed?.kernelChanged.disconnect(this.update, this);
      this.followed?.statusChanged.disconnect(this.update, this);
      context?.kernelChanged.connect(this.update, this);
      context?.statusChanged.connect(this.update, this);
      this.followed = context;
    }
    this.update();
  }

  private followed: ISessionContext | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
