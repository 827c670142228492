/** Saves a draft a moment after each change, one call at a time, and never over somebody else's. */
import { ApiError } from '../api/client'
import type { Draft, Issue } from '../api/types'
import type { Flow } from '../flow/document'

export type Saving =
  | { state: 'saved' | 'unsaved' | 'saving' }
  /** The flow has not the shape of one, or the key may not save. */
  | { state: 'refused'; said: string }
  | { state: 'unreachable'; said: string }
  /** Somebody else saved: nothing is saved until it is decided whose draft stays. */
  | { state: 'conflict'; revision: number }

type Tell = (saving: Saving, issues: Issue[] | null) => void

export class Saver {
  private wanted: Flow
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | null = null
  private conflict: number | null = null

  constructor(
    private readonly put: (flow: Flow, revision: number) => Promise<Draft>,
    private stored: Flow,
    private revision: number,
    private issues: Issue[],
    private readonly tell: Tell,
    private readonly pauses = { afterChange: 500, unreachable: 4000 },
  ) {
    this.wanted = stored
  }

  change(flow: Flow): void {
    if (flow === this.wanted) return
    this.wanted = flow
    if (this.conflict !== null) return
    if (flow === this.stored && this.running === null) {
      // Undone before it was saved.
      clearTimeout(this.timer)
      this.tell({ state: 'saved' }, this.issues)
      return
    }
    this.tell({ state: 'unsaved' }, null)
    this.schedule(this.pauses.afterChange)
  }

  /** Save now; answers whether everything is stored. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer)
    let failed = false
    while (this.wanted !== this.stored && this.conflict === null && !failed) {
      if (this.running) {
        await this.running
        continue
      }
      const sent = this.wanted
      await this.save()
      // Nothing came of it, and nothing has changed since: another try would end the same.
      failed = this.stored !== sent && this.wanted === sent
    }
    return this.wanted === this.stored
  }

  /** After a conflict: replace what somebody else saved. */
  async keepMine(): Promise<void> {
    if (this.conflict === null) return
    this.revision = this.conflict
    this.conflict = null
    await this.flush()
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private schedule(pause: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), pause)
  }

  private save(): Promise<void> {
    this.running = this.saveOnce().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async saveOnce(): Promise<void> {
    const flow = this.wanted
    this.tell({ state: 'saving' }, null)
    try {
      const draft = await this.put(flow, this.revision)
      this.stored = flow
      this.revision = draft.revision
      this.issues = draft.issues
      this.tell({ state: flow === this.wanted ? 'saved' : 'unsaved' }, draft.issues)
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    if (!(error instanceof ApiError)) throw error
    const theirs = error.details.revision
    if (error.status === 409 && typeof theirs === 'number') {
      this.conflict = theirs
      this.tell({ state: 'conflict', revision: theirs }, null)
    } else if (error.status >= 400 && error.status < 500 && error.status !== 429) {
      this.tell({ state: 'refused', said: error.message }, error.issues)
    } else {
      this.tell({ state: 'unreachable', said: error.message }, null)
      this.schedule(this.pauses.unreachable)
    }
  }
}
