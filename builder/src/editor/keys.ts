import { type RefObject, useEffect } from 'react'
import type { Flow } from '../flow/document'
import { copyCards, pasteCards, removeCards } from '../flow/edits'
import type { DraftState, Edit } from './use-draft'

/** Whether keys belong to what is being typed into. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog') !== null
}

/** Ctrl+Z takes back; Ctrl+Shift+Z and Ctrl+Y do again. Cmd on a Mac. */
export function useUndoKeys({ undo, redo }: Pick<DraftState, 'undo' | 'redo'>) {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return
      const key = event.key.toLowerCase()
      if (key !== 'z' && key !== 'y') return
      event.preventDefault()
      if (key === 'y' || event.shiftKey) redo()
      else undo()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [undo, redo])
}

/** Enter on a card that is open goes on in its editor. */
export function useEnterKey(frame: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const canvas = frame.current
    function onKeyDown(event: KeyboardEvent) {
      const isOpen = (event.target as Element).matches('.react-flow__node.selected')
      if (event.key === 'Enter' && isOpen) document.querySelector<HTMLElement>('.panel')?.focus()
    }
    canvas?.addEventListener('keydown', onKeyDown)
    return () => canvas?.removeEventListener('keydown', onKeyDown)
  }, [frame])
}

const FORMAT = 'sendout cards'
const BESIDE = { x: 40, y: 40 }

/** Copy, cut and paste the selected cards, also between campaigns and tabs. */
export function useClipboard(
  frame: RefObject<HTMLElement | null>,
  flow: Flow,
  selected: string[],
  edit: Edit | null,
  select: (names: string[]) => void,
) {
  useEffect(() => {
    function onCopy(event: ClipboardEvent) {
      const cuts = event.type === 'cut' && edit !== null
      if (isTyping(event.target) || selected.length === 0 || isTextChosen()) return
      const cards = { format: FORMAT, flow: copyCards(flow, selected) }
      event.clipboardData?.setData('text/plain', JSON.stringify(cards))
      event.preventDefault()
      if (cuts) edit((f) => removeCards(f, selected))
    }
    function onPaste(event: ClipboardEvent) {
      const copied = cardsIn(event.clipboardData?.getData('text/plain') ?? '')
      if (isTyping(event.target) || !edit || !copied) return
      event.preventDefault()
      const [, added] = pasteCards(flow, copied, BESIDE)
      edit((f) => pasteCards(f, copied, BESIDE)[0])
      select(added)
      frame.current?.querySelector<HTMLElement>('.react-flow__pane')?.focus()
    }
    document.addEventListener('copy', onCopy)
    document.addEventListener('cut', onCopy)
    document.addEventListener('paste', onPaste)
    return () => {
      document.removeEventListener('copy', onCopy)
      document.removeEventListener('cut', onCopy)
      document.removeEventListener('paste', onPaste)
    }
  }, [frame, flow, selected, edit, select])
}

function isTextChosen(): boolean {
  return (getSelection()?.toString() ?? '') !== ''
}

function cardsIn(text: string): Flow | null {
  try {
    const cards = JSON.parse(text) as { format?: string; flow?: Flow }
    return cards.format === FORMAT && cards.flow ? cards.flow : null
  } catch {
    return null
  }
}
