import { to } from '../routes'
import { useSession } from '../session'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { useAction } from '../ui/use-action'
import { Timeline } from './timeline'
import { entryPath, useEntry } from './use-entry'

const OPEN = ['scheduled', 'queued', 'running']

/** One customer's way through a flow. */
export function EntryPage({ sendoutId, entryId }: { sendoutId: string; entryId: string }) {
  const { api, canOperate, workflows } = useSession()
  const path = entryPath(sendoutId, entryId)
  const read = useEntry(path, 2000)
  const { run, said, busy } = useAction()

  function cancel() {
    return run(async () => {
      await api.call(`${path}/cancel`, { method: 'POST' })
      await read.reload()
    })
  }

  const entry = read.value
  if (!entry) return <Reading of={read} />
  return (
    <>
      <div className="row heading">
        <h1>{entry.client}</h1>
        <Tag state={entry.state} />
        {canOperate && OPEN.includes(entry.state) && (
          <button type="button" className="danger" disabled={busy} onClick={() => void cancel()}>
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
      {said && <Notice kind="error">{said}</Notice>}
      <Reading of={read} />
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
