const SHOWN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** A moment in the reader's own time zone. */
export function Time({ at, exact = false }: { at: string; exact?: boolean }) {
  return <time dateTime={at}>{(exact ? EXACT : SHOWN).format(new Date(at))}</time>
}
