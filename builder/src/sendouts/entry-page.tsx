import { useCallback, useState } from 'react'
import type { Entity, EntryWithTimeline } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { Notice } from '../ui/notice'
import { useLoaded } from '../ui/use-loaded'
import { Timeline } from './timeline'

const OPEN = ['scheduled', 'queued', 'running']

/** One customer's way through a flow. */
export function EntryPage({ sendoutId, entryId }: { sendoutId: string; entryId: string }) {
  const { api, canOperate, workflows } = useSession()
  const [failed, setFailed] = useState<string | null>(null)
  const path = `sendouts/${sendoutId}/entries/${entryId}`
  const read = useCallback(
    async () => (await api.call<Entity<EntryWithTimeline>>(path)).entity,
    [api, path],
  )
  const { value: entry, said, reload } = useLoaded(read, 2000)

  async function cancel() {
    try {
      await api.call(`${path}/cancel`, { method: 'POST' })
      setFailed(null)
      await reload()
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error))
    }
  }

  if (!entry) return said ? <Notice kind="error">{said}</Notice> : <p className="soft">Reading …</p>
  return (
    <>
      <div className="row heading">
        <h1>{entry.client}</h1>
        <span className={`tag ${entry.state}`}>{entry.state.replaceAll('_', ' ')}</span>
        {canOperate && OPEN.includes(entry.state) && (
          <button type="button" className="danger" onClick={() => void cancel()}>
            Cancel this entry
          </button>
        )}
      </div>
      <p className="facts">
        <a href={to.sendout(sendoutId)}>The sendout</a>
        {entry.state !== 'duplicate' && (
          <a
            href={workflows + encodeURIComponent(entry.workflowId)}
            target="_blank"
            rel="noreferrer"
          >
            Its run in the Temporal Web UI
          </a>
        )}
        {entry.attempt > 1 && <span>Attempt {entry.attempt}</span>}
      </p>
      {(failed ?? said) && <Notice kind="error">{failed ?? said}</Notice>}
      {entry.error && (
        <Notice kind="error">
          {entry.error.title}: {entry.error.message}
        </Notice>
      )}
      <Values title="Variables" values={entry.variables} />
      <Values title="Answers" values={entry.outputVariables} />
      <section aria-label="Timeline" className="sheet">
        <h2>Timeline</h2>
        <Timeline steps={entry.timeline} />
      </section>
    </>
  )
}

function Values({ title, values }: { title: string; values: Record<string, unknown> }) {
  const all = Object.entries(values)
  if (all.length === 0) return null
  return (
    <p className="facts">
      <span>{title}:</span>
      {all.map(([name, value]) => (
        <span key={name}>
          <code>{name}</code> {typeof value === 'string' ? value : JSON.stringify(value)}
        </span>
      ))}
    </p>
  )
}
