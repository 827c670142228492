import { ReactFlowProvider } from '@xyflow/react'
import { useCallback, useMemo, useState } from 'react'
import type { Entity, Sendout } from '../api/types'
import { useVersion } from '../campaigns/use-version'
import { Canvas } from '../editor/canvas'
import type { Mark } from '../editor/card'
import { to } from '../routes'
import { useSession } from '../session'
import { Count } from '../ui/count'
import { download, fileName } from '../ui/download'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Time } from '../ui/time'
import { useAction } from '../ui/use-action'
import { useLoaded } from '../ui/use-loaded'
import { Version } from '../ui/version'
import { ended, nameOf, share } from './counts'
import { Entries } from './entries'
import { Errors } from './errors'
import { Levers } from './levers'
import { StateTag } from './sendouts-page'

const EVERY = 2000

/** One sendout as it goes: counts, the flow with what each message did, entries, levers. */
export function SendoutPage({ sendoutId }: { sendoutId: string }) {
  const { api } = useSession()
  const read = useCallback(
    async () => (await api.call<Entity<Sendout>>(`sendouts/${sendoutId}`)).entity,
    [api, sendoutId],
  )
  const loaded = useLoaded(read, EVERY)
  const { value: sendout, reload } = loaded
  if (!sendout) return <Reading of={loaded} />
  return (
    <>
      <Head sendout={sendout} reload={reload} />
      <Reading of={loaded} />
      <Holds sendout={sendout} />
      <Progress sendout={sendout} />
      {sendout.source !== 'message' && <FlowWithCounts sendout={sendout} reload={reload} />}
      <Errors sendout={sendout} />
      <Entries sendoutId={sendoutId} />
    </>
  )
}

function Head({ sendout, reload }: { sendout: Sendout; reload: () => Promise<void> }) {
  const { api, canOperate } = useSession()
  const { run, said, busy } = useAction()

  function report() {
    return run(async () => {
      const file = await api.file(`sendouts/${sendout.sendoutId}/report.csv`)
      download(`${fileName(nameOf(sendout))}_${sendout.createdAt.slice(0, 10)}.csv`, file)
    })
  }

  return (
    <>
      <div className="row heading">
        <h1>{nameOf(sendout)}</h1>
        <StateTag sendout={sendout} />
        {canOperate && <Levers sendout={sendout} reload={reload} />}
        <button type="button" disabled={busy} onClick={() => void report()}>
          Download report
        </button>
      </div>
      <p className="facts">
        {sendout.source !== 'message' && (
          <>
            <span>
              Campaign <a href={to.campaign(sendout.campaignId)}>{sendout.campaignName}</a>
            </span>
            <span>
              Version <Version of={sendout.campaignVersion} />
            </span>
          </>
        )}
        <span>
          Began <Time at={sendout.createdAt} />
        </span>
        {sendout.finishedAt && (
          <span>
            Last entry ended <Time at={sendout.finishedAt} />
          </span>
        )}
        {sendout.current && <span>Further entries join it</span>}
      </p>
      {said && <Notice kind="error">{said}</Notice>}
    </>
  )
}

function Holds({ sendout }: { sendout: Sendout }) {
  return sendout.heldBy.map((hold) => {
    const what = 'channel' in hold ? `Channel ${hold.channel}` : `Template ${hold.template}`
    return (
      <Notice kind="warning" key={what}>
        {what} is held since <Time at={hold.since} />
        {hold.message ? `: ${hold.message}` : ''}
        {hold.code === null ? '' : ` (${hold.code})`}. Runs wait before their next send.
      </Notice>
    )
  })
}

function Progress({ sendout }: { sendout: Sendout }) {
  const { entries, messages } = sendout
  const done = ended(sendout)
  const open = entries.scheduled + entries.queued + entries.running
  return (
    <section aria-label="Progress" className="progress-part">
      <p>
        {done.toLocaleString()} of {entries.accepted.toLocaleString()} entries ended (
        {share(sendout)}), {open.toLocaleString()} open
      </p>
      <progress
        className="progress"
        aria-label="Entries that have ended"
        value={done}
        max={Math.max(1, entries.accepted)}
      />
      <dl className="counts">
        <Count label="Sent" value={messages.sent} />
        <Count label="Delivered" value={messages.delivered} />
        <Count label="Read" value={messages.read} />
        <Count label="Tapped" value={messages.clicked} />
        <Count label="Messages failed" value={messages.failed} />
        <Count label="Completed" value={entries.completed} />
        <Count label="Entries failed" value={entries.failed} />
        {messages.unknown > 0 && <Count label="Messages unknown" value={messages.unknown} />}
        {entries.unknown > 0 && <Count label="Entries unknown" value={entries.unknown} />}
        {entries.notReceived > 0 && <Count label="Not received" value={entries.notReceived} />}
        {entries.optedOut > 0 && <Count label="Opted out" value={entries.optedOut} />}
        {entries.duplicate > 0 && <Count label="Duplicates" value={entries.duplicate} />}
        {entries.cancelled > 0 && <Count label="Cancelled" value={entries.cancelled} />}
      </dl>
    </section>
  )
}

function FlowWithCounts({ sendout, reload }: { sendout: Sendout; reload: () => Promise<void> }) {
  const { api, canOperate } = useSession()
  const { campaignId, campaignVersion, sendoutId, skipNodes } = sendout
  const [selected, setSelected] = useState<string[]>([])
  const { run, said, busy } = useAction()
  const version = useVersion(campaignId, campaignVersion)
  const marks = useMemo(
    () => new Map<string, Mark>(skipNodes.map((name) => [name, 'skipped'])),
    [skipNodes],
  )
  const [chosen = ''] = selected.length === 1 ? selected : []
  const canSkip = canOperate && sendout.state !== 'cancelled'

  function skip(name: string) {
    const others = skipNodes.filter((node) => node !== name)
    const body = { skipNodes: others.length < skipNodes.length ? others : [...skipNodes, name] }
    return run(async () => {
      await api.call(`sendouts/${sendoutId}`, { method: 'PATCH', body })
      await reload()
    })
  }

  const flow = version.value
  if (!flow) return <Reading of={version} />
  const isMessage = flow.nodes[chosen]?.type === 'message'
  return (
    <section aria-label="The flow and what its messages did" className="flow-part">
      <div className="row">
        <h2>What the messages did</h2>
        {canSkip && isMessage && (
          <button type="button" disabled={busy} onClick={() => void skip(chosen)}>
            {skipNodes.includes(chosen) ? `Send ${chosen} again` : `Skip ${chosen}`}
          </button>
        )}
        {canSkip && (
          <span className="soft">
            {isMessage
              ? 'A skipped message is no longer sent; its path ends there.'
              : 'Select a message on the canvas to have it skipped.'}
          </span>
        )}
      </div>
      {said && <Notice kind="error">{said}</Notice>}
      <div className="flow-frame">
        <ReactFlowProvider>
          <Canvas
            flow={flow}
            label={`Flow of ${sendout.campaignName} with counts`}
            selected={selected}
            select={setSelected}
            counts={sendout.nodes}
            marks={marks}
          />
        </ReactFlowProvider>
      </div>
    </section>
  )
}
