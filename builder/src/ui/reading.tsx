import { Notice } from './notice'
import type { Loaded } from './use-loaded'

/** What is to be said while something is not there yet, or could not be read (again). */
export function Reading({ of: { value, said } }: { of: Loaded<unknown> }) {
  if (said) return <Notice kind="error">{said}</Notice>
  return value === null ? <p className="soft">Reading …</p> : null
}
