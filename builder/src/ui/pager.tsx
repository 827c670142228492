import type { Pages } from './use-pages'

/** Back and forth through a list in pages. */
export function Pager({ of: { value, cursors, go } }: { of: Pages<unknown> }) {
  const next = value?.nextCursor ?? null
  if (cursors.length === 0 && next === null) return null
  return (
    <div className="row">
      <button
        type="button"
        disabled={cursors.length === 0}
        onClick={() => go(cursors.slice(0, -1))}
      >
        Previous
      </button>
      <button
        type="button"
        disabled={next === null}
        onClick={() => next !== null && go([...cursors, next])}
      >
        Next
      </button>
    </div>
  )
}
