import { type ReactNode, useEffect, useRef } from 'react'
import { useFocusBack } from '../ui/use-focus-back'

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
  const ref = useRef<HTMLElement>(null)
  useFocusBack()

  useEffect(() => {
    // A card keeps the focus, for its own keys; Enter on it leads here.
    if (!document.activeElement?.closest('.react-flow')) ref.current?.focus()
  }, [])

  return (
    <section
      ref={ref}
      className="panel"
      aria-label={title}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
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
