import { type ReactNode, useEffect, useRef, useState } from 'react'

/** A button with something below it; Escape, a choice or a click elsewhere closes it. */
export function Popover({
  label,
  sign,
  children,
}: {
  label: string
  sign: string
  children: (close: () => void) => ReactNode
}) {
  const [isOpen, setOpen] = useState(false)
  const frame = useRef<HTMLSpanElement>(null)
  const opener = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    if (!isOpen) return
    frame.current?.querySelector<HTMLElement>('.popover button')?.focus()
    const outside = (event: PointerEvent) => {
      if (!frame.current?.contains(event.target as Element)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [isOpen])

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens for Escape from within
    <span
      className="popover-frame"
      ref={frame}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return
        event.stopPropagation()
        setOpen(false)
        opener.current?.focus()
      }}
    >
      <button
        ref={opener}
        type="button"
        className="quiet"
        aria-label={label}
        aria-expanded={isOpen}
        title={label}
        onClick={() => setOpen(!isOpen)}
      >
        {sign}
      </button>
      {isOpen && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset would be part of the form
        <div className="popover" role="group" aria-label={label}>
          {children(() => setOpen(false))}
        </div>
      )}
    </span>
  )
}
