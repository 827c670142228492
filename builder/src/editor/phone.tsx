/** Messages as WhatsApp shows them. */
import type { ReactNode } from 'react'
import type { Shown } from '../flow/rendering'

export function Bubble({
  message,
  tap,
  meta,
}: {
  message: Shown
  /** Absent where buttons are only shown; answers null for one that was tapped. */
  tap?: (button: number) => (() => void) | null
  meta?: ReactNode
}) {
  return (
    <div className="bubble">
      {message.medium && <p className="bubble-medium">{message.medium}</p>}
      {message.header && <p className="bubble-header">{message.header}</p>}
      {message.body && <p className="bubble-body">{message.body}</p>}
      {message.footer && <p className="bubble-footer">{message.footer}</p>}
      {meta && <p className="bubble-meta">{meta}</p>}
      {message.menu && <p className="bubble-menu">{message.menu}</p>}
      {message.buttons.map((label, i) => {
        const act = tap?.(i)
        return act === undefined ? (
          <p className="bubble-button" key={i}>
            {label || '…'}
          </p>
        ) : (
          <button
            type="button"
            className="bubble-button"
            key={i}
            disabled={act === null}
            onClick={act ?? undefined}
          >
            {label}
          </button>
        )
      })}
      {message.links.map((label, i) => (
        <p className="bubble-button" key={i}>
          {label} ↗
        </p>
      ))}
    </div>
  )
}

export function Phone({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="phone" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
