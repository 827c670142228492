import { useState } from 'react'
import type { Sendout } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { ListTable } from '../ui/list-table'
import { Pager } from '../ui/pager'
import { Reading } from '../ui/reading'
import { StateSelect } from '../ui/state-select'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { usePages } from '../ui/use-pages'
import { Version } from '../ui/version'
import { nameOf, share } from './counts'

const STATES = ['running', 'paused', 'cancelled']
const PAGE = 50

export function SendoutsPage({ campaignId }: { campaignId: string | null }) {
  const { canSend } = useSession()
  const [state, setState] = useState('')
  const list = usePages<Sendout>('sendouts', PAGE, { campaignId, state }, 3000)
  const sendouts = list.value?.data ?? []

  return (
    <>
      <div className="row heading">
        <h1>
          {campaignId && sendouts[0] ? `Sendouts of ${sendouts[0].campaignName}` : 'Sendouts'}
        </h1>
        {campaignId && <a href={to.sendouts}>All campaigns</a>}
        <StateSelect states={STATES} value={state} onChange={setState} />
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
        <ListTable
          columns={[
            'Campaign',
            'Version',
            'State',
            'Began',
            'Done',
            { number: 'Entries' },
            { number: 'Sent' },
            { number: 'Tapped' },
          ]}
        >
          {sendouts.map((sendout) => (
            <SendoutRow key={sendout.sendoutId} sendout={sendout} />
          ))}
        </ListTable>
      )}
      <Pager of={list} />
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
