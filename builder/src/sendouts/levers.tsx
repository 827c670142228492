import { useCallback, useState } from 'react'
import { wordsOf } from '../api/client'
import type { Campaign, Entity, Sendout } from '../api/types'
import { useSession } from '../session'
import { Dialog } from '../ui/dialog'
import { Notice } from '../ui/notice'
import { useLoaded } from '../ui/use-loaded'

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
    const act = () => pull(lever).catch((error: unknown) => setSaid(wordsOf(error)))
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
        <CancelDialog
          sendout={sendout}
          cancel={() => pull('cancel')}
          close={() => setCancelling(false)}
        />
      )}
    </>
  )
}

/** Cancelling ends what runs; only unpublishing also keeps further requests out. */
function CancelDialog({
  sendout,
  cancel,
  close,
}: {
  sendout: Sendout
  cancel: () => Promise<void>
  close: () => void
}) {
  const { api } = useSession()
  const path = `campaigns/${sendout.campaignId}`
  const read = useCallback(
    async () => (await api.call<Entity<Campaign>>(path)).entity.state === 'published',
    [api, path],
  )
  const { value: isPublished } = useLoaded(read)
  const [unpublish, setUnpublish] = useState(false)

  async function submit() {
    // First, so that no request between the two begins another sendout.
    if (unpublish) await api.call(`${path}/unpublish`, { method: 'POST', body: {} })
    await cancel()
  }

  return (
    <Dialog
      title="Cancel this sendout?"
      action="Cancel the sendout"
      danger
      submit={submit}
      close={close}
    >
      <p>
        Every open entry ends for good, without another message. This cannot be taken back; to stop
        for a while, pause it.
      </p>
      {isPublished && (
        <>
          <label className="check">
            <input
              type="checkbox"
              checked={unpublish}
              onChange={(event) => setUnpublish(event.target.checked)}
            />
            Unpublish {sendout.campaignName} too
          </label>
          <p className="soft">
            Otherwise the next request to the campaign begins another sendout. Unpublished, it is
            refused until it is published again.
          </p>
        </>
      )}
    </Dialog>
  )
}
