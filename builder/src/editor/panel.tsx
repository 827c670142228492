import type { ReactNode } from 'react'

/** The side of the canvas (on a phone, a sheet over it) where one thing is edited or shown. */
export function Panel({
  title,
  close,
  children,
}: {
  title: string
  close: () => void
  children: ReactNode
}) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        <button type="button" className="quiet" onClick={close} aria-label={`Close ${title}`}>
          ✕
        </button>
      </div>
      <div className="panel-body">{children}</div>
    </section>
  )
}
