import { useState } from 'react'
import type { Sendout } from '../api/types'
import { useSession } from '../session'
import { Dialog } from '../ui/dialog'
import { Notice } from '../ui/notice'

/** Pause, resume, retry, cancel. */
export function Levers({ sendout, reload }: { sendout: Sendout; reload: () => Promise<void> }) {
  const { api } = useSession()
  const [cancelling, setCancelling] = useState(false)
  const [said, setSaid] = useState<string | null>(null)

  async function pull(lever: 'pause' | 'resume' | 'retry' | 'cancel') {
    const answer = await api.call<{ retried?: number }>(`sendouts/${sendout.sendoutId}/${lever}`, {
      method: 'POST',
    })
    const again = answer.retried
    setSaid(
      again === undefined ? null : `${again} ${again === 1 ? 'entry runs' : 'entries run'} again.`,
    )
    await reload()
  }

  function button(lever: 'pause' | 'resume' | 'retry', label: string) {
    const act = () =>
      pull(lever).catch((error: unknown) =>
        setSaid(error instanceof Error ? error.message : String(error)),
      )
    return (
      <button type="button" onClick={() => void act()}>
        {label}
      </button>
    )
  }

  if (sendout.state === 'cancelled') return null
  return (
    <>
      {said && <Notice>{said}</Notice>}
      {sendout.state === 'paused' ? button('resume', 'Resume') : button('pause', 'Pause')}
      {sendout.entries.failed > 0 && button('retry', 'Retry failed')}
      <button type="button" className="danger" onClick={() => setCancelling(true)}>
        Cancel …
      </button>
      {cancelling && (
        <Dialog
          title="Cancel this sendout?"
          action="Cancel the sendout"
          danger
          submit={() => pull('cancel')}
          close={() => setCancelling(false)}
        >
          <p>
            Every open entry ends for good, without another message. This cannot be taken back; to
            stop for a while, pause it.
          </p>
        </Dialog>
      )}
    </>
  )
}
