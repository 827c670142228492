import { useState } from 'react'
import { wordsOf } from '../api/client'

/** Runs what may be refused: whether it runs, and the words of the last refusal. */
export function useAction() {
  const [said, setSaid] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function run(action: () => Promise<void>): Promise<void> {
    setBusy(true)
    try {
      await action()
      setSaid(null)
    } catch (error) {
      setSaid(wordsOf(error))
    } finally {
      setBusy(false)
    }
  }

  return { run, said, busy }
}
