/** Back and forth through a list in pages; `cursors` are those of the pages before. */
export function Pager({
  cursors,
  next,
  go,
}: {
  cursors: string[]
  next: string | null
  go: (cursors: string[]) => void
}) {
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
