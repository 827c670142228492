import { useEffect, useRef } from 'react'
import type { NodeType } from '../flow/document'
import { CARD_KINDS } from '../flow/words'
import { CardIcon } from './icon'
import { useFocusBack } from './use-focus-back'

const KINDS = Object.keys(CARD_KINDS) as NodeType[]

/** A menu of card types at a place of the window; Escape or a click elsewhere closes it. */
export function CardMenu({
  label,
  at,
  choose,
  close,
}: {
  label: string
  at: { x: number; y: number }
  choose: (type: NodeType) => void
  close: () => void
}) {
  const ref = useRef<HTMLDivElement>(null)
  useFocusBack()

  useEffect(() => {
    const menu = ref.current
    if (!menu) return
    menu.style.left = `${Math.min(at.x, window.innerWidth - menu.offsetWidth - 8)}px`
    menu.style.top = `${Math.min(at.y, window.innerHeight - menu.offsetHeight - 8)}px`
    menu.querySelector('button')?.focus()
  }, [at])

  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (!ref.current?.contains(event.target as Element)) close()
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [close])

  function onKeyDown(event: React.KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === 'Escape' || event.key === 'Tab') close()
    if (step === undefined) return
    event.preventDefault()
    const items = [...(ref.current?.querySelectorAll('button') ?? [])]
    const now = items.indexOf(document.activeElement as HTMLButtonElement)
    items[(now + step + items.length) % items.length]?.focus()
  }

  return (
    <div
      ref={ref}
      className="menu"
      role="menu"
      aria-label={label}
      onKeyDown={onKeyDown}
      tabIndex={-1}
    >
      {KINDS.map((type) => (
        <button
          key={type}
          type="button"
          role="menuitem"
          onClick={() => {
            choose(type)
            close()
          }}
        >
          <CardIcon type={type} />
          {CARD_KINDS[type]}
        </button>
      ))}
    </div>
  )
}
