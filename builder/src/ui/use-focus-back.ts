import { useEffect } from 'react'

/** When this goes and takes the focus with it, the keyboard goes on where it was before. */
export function useFocusBack(): void {
  useEffect(() => {
    const before = document.activeElement
    return () => {
      if (document.activeElement !== document.body) return
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])
}
