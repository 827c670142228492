/** Undo and redo: what a document was, is, and was before that was taken back. Pure. */

const MOST_STEPS = 200

export interface History<T> {
  past: T[]
  present: T
  future: T[]
  /** What the last change was about: further changes of the same thing join it in one step. */
  about: string | null
}

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], about: null }
}

export function change<T>(
  history: History<T>,
  present: T,
  about: string | null = null,
): History<T> {
  if (present === history.present) return history
  const joins = about !== null && about === history.about
  const past = joins ? history.past : [...history.past, history.present].slice(-MOST_STEPS)
  return { past, present, future: [], about }
}

export function undo<T>(history: History<T>): History<T> {
  const [before] = history.past.slice(-1)
  if (before === undefined) return history
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    about: null,
  }
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future
  if (after === undefined) return history
  return { past: [...history.past, history.present], present: after, future, about: null }
}
