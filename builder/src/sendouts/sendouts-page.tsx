import { useCallback, useState } from 'react'
import type { Page, Sendout } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { Pager } from '../ui/pager'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { useLoaded } from '../ui/use-loaded'
import { Version } from '../ui/version'
import { nameOf, share } from './counts'

const PAGE = 50

export function SendoutsPage({ campaignId }: { campaignId: string | null }) {
  const { api, canSend } = useSession()
  const [state, setState] = useState('')
  const [cursors, setCursors] = useState<string[]>([])
  const cursor = cursors.at(-1)
  const list = useLoaded(
    useCallback(async () => {
      const query = new URLSearchParams({ limit: String(PAGE) })
      if (campaignId) query.set('campaignId', campaignId)
      if (state) query.set('state', state)
      if (cursor) query.set('cursor', cursor)
      return api.call<Page<Sendout>>(`sendouts?${query}`)
    }, [api, campaignId, state, cursor]),
    3000,
  )
  const sendouts = list.value?.data ?? []

  return (
    <>
      <div className="row heading">
        <h1>
          {campaignId && sendouts[0] ? `Sendouts of ${sendouts[0].campaignName}` : 'Sendouts'}
        </h1>
        {campaignId && <a href={to.sendouts}>All campaigns</a>}
        <label className="check">
          State
          <select
            value={state}
            onChange={(event) => {
              setCursors([])
              setState(event.target.value)
            }}
          >
            <option value="">any</option>
            <option value="running">running</option>
            <option value="paused">paused</option>
            <option value="cancelled">cancelled</option>
          </select>
        </label>
        {canSend && (
          <a
            className="button primary"
            href={
              campaignId && sendouts[0] ? to.importOf(sendouts[0].campaignName ?? '') : to.newImport
            }
          >
            Send from a CSV
          </a>
        )}
      </div>
      <Reading of={list} />
      {list.value && sendouts.length === 0 && (
        <p className="empty">
          {state
            ? 'No such sendouts.'
            : 'No sendouts yet. They begin with the first request to a campaign, or with a CSV.'}
        </p>
      )}
      {sendouts.length > 0 && (
        <div className="table-frame">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Campaign</th>
                <th scope="col">Version</th>
                <th scope="col">State</th>
                <th scope="col">Began</th>
                <th scope="col">Done</th>
                <th scope="col" className="number">
                  Entries
                </th>
                <th scope="col" className="number">
                  Sent
                </th>
                <th scope="col" className="number">
                  Tapped
                </th>
              </tr>
            </thead>
            <tbody>
              {sendouts.map((sendout) => (
                <SendoutRow key={sendout.sendoutId} sendout={sendout} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pager cursors={cursors} next={list.value?.nextCursor ?? null} go={setCursors} />
    </>
  )
}

function SendoutRow({ sendout }: { sendout: Sendout }) {
  return (
    <tr>
      <th scope="row">
        <a href={to.sendout(sendout.sendoutId)}>{nameOf(sendout)}</a>
      </th>
      <td data-label="Version" className="version">
        <Version of={sendout.campaignVersion} />
      </td>
      <td data-label="State">
        <StateTag sendout={sendout} />
      </td>
      <td data-label="Began">
        <Time at={sendout.createdAt} />
      </td>
      <td data-label="Done">{share(sendout)}</td>
      <td data-label="Entries" className="number">
        {sendout.entries.accepted.toLocaleString()}
      </td>
      <td data-label="Sent" className="number">
        {sendout.messages.sent.toLocaleString()}
      </td>
      <td data-label="Tapped" className="number">
        {sendout.messages.clicked.toLocaleString()}
      </td>
    </tr>
  )
}

/** Running says nothing of whether there is anything left to do; idle does. */
export function StateTag({ sendout }: { sendout: Sendout }) {
  const idle = sendout.state === 'running' && sendout.progress === 'idle'
  return <Tag state={idle ? 'idle' : sendout.state} />
}
