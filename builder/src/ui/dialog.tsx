import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { wordsOf } from '../api/client'
import { Notice } from './notice'

/** A modal form. `submit` may refuse by throwing: its words are shown and the dialog stays. */
export function Dialog({
  title,
  action,
  danger = false,
  disabled = false,
  submit,
  close,
  children,
}: {
  title: string
  action: string
  danger?: boolean
  disabled?: boolean
  submit: () => Promise<void>
  close: () => void
  children: ReactNode
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const [said, setSaid] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  // Closed by itself, so that the browser puts the focus back to where it was.
  useEffect(() => {
    ref.current?.showModal()
  }, [])

  async function onSubmit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    try {
      await submit()
      ref.current?.close()
    } catch (error) {
      setSaid(wordsOf(error))
      setBusy(false)
    }
  }

  return (
    <dialog ref={ref} onClose={close} aria-labelledby={heading}>
      <form onSubmit={onSubmit}>
        <h2 id={heading}>{title}</h2>
        {children}
        {said && <Notice kind="error">{said}</Notice>}
        <div className="row end">
          <button type="button" onClick={() => ref.current?.close()}>
            Not now
          </button>
          <button
            type="submit"
            className={danger ? 'primary danger' : 'primary'}
            disabled={busy || disabled}
          >
            {action}
          </button>
        </div>
      </form>
    </dialog>
  )
}
