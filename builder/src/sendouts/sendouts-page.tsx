import { useCallback, useState } from 'react'
import type { Page, Sendout } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { Notice } from '../ui/notice'
import { Time } from '../ui/time'
import { useLoaded } from '../ui/use-loaded'
import { nameOf, share } from './counts'

const PAGE = 50

export function SendoutsPage({ campaignId }: { campaignId: string | null }) {
  const { api, canSend } = useSession()
  const [state, setState] = useState('')
  const [pages, setPages] = useState(1)
  const list = useLoaded(
    useCallback(async () => {
      const query = new URLSearchParams({ limit: String(Math.min(PAGE * pages, 500)) })
      if (campaignId) query.set('campaignId', campaignId)
      if (state) query.set('state', state)
      return api.call<Page<Sendout>>(`sendouts?${query}`)
    }, [api, campaignId, state, pages]),
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
          <select value={state} onChange={(event) => setState(event.target.value)}>
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
      {list.said && <Notice kind="error">{list.said}</Notice>}
      {list.value && sendouts.length === 0 && (
        <p className="empty">No sendouts yet. They begin with the first request to a campaign.</p>
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
      {list.value?.nextCursor && PAGE * pages < 500 && (
        <div className="row">
          <button type="button" onClick={() => setPages(pages + 1)}>
            Show more
          </button>
        </div>
      )}
    </>
  )
}

function SendoutRow({ sendout }: { sendout: Sendout }) {
  return (
    <tr>
      <th scope="row">
        <a href={to.sendout(sendout.sendoutId)}>{nameOf(sendout)}</a>
      </th>
      <td data-label="Version" className="version" title={sendout.campaignVersion}>
        {sendout.campaignVersion}
      </td>
      <td data-label="State">
        <StateTag sendout={sendout} />
      </td>
      <td data-label="Began">
        <Time at={sendout.createdAt} />
      </td>
      <td data-label="Done">{share(sendout)}</td>
      <td data-label="Entries" className="number">
        {sendout.entries.accepted}
      </td>
      <td data-label="Sent" className="number">
        {sendout.messages.sent}
      </td>
      <td data-label="Tapped" className="number">
        {sendout.messages.clicked}
      </td>
    </tr>
  )
}

/** Running says nothing of whether there is anything left to do; idle does. */
export function StateTag({ sendout }: { sendout: Sendout }) {
  const idle = sendout.state === 'running' && sendout.progress === 'idle'
  const said = idle ? 'idle' : sendout.state
  return <span className={`tag ${said}`}>{said}</span>
}
