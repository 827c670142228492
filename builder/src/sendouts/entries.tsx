import { type FormEvent, useCallback, useState } from 'react'
import type { Entry, Page } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { Pager } from '../ui/pager'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { useLoaded } from '../ui/use-loaded'

const STATES = [
  'scheduled',
  'queued',
  'running',
  'completed',
  'failed',
  'unknown',
  'not_received',
  'opted_out',
  'cancelled',
  'duplicate',
]
const PAGE = 50

/** The entries of a sendout, by state or number. */
export function Entries({ sendoutId }: { sendoutId: string }) {
  const { api } = useSession()
  const [state, setState] = useState('')
  const [typed, setTyped] = useState('')
  const [client, setClient] = useState('')
  const [cursors, setCursors] = useState<string[]>([])
  const cursor = cursors.at(-1)
  const list = useLoaded(
    useCallback(async () => {
      const query = new URLSearchParams({ limit: String(PAGE) })
      if (state) query.set('state', state)
      if (client) query.set('client', client)
      if (cursor) query.set('cursor', cursor)
      return api.call<Page<Entry>>(`sendouts/${sendoutId}/entries?${query}`)
    }, [api, sendoutId, state, client, cursor]),
    4000,
  )

  function search(event: FormEvent) {
    event.preventDefault()
    setCursors([])
    setClient(typed.trim())
  }

  return (
    <section aria-label="Entries" className="entries">
      <form className="row" onSubmit={search}>
        <h2>Entries</h2>
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
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
        </label>
        <label className="check">
          Number
          <input
            type="tel"
            value={typed}
            placeholder="+16045552331"
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <button type="submit">Find</button>
      </form>
      <Reading of={list} />
      {list.value?.data.length === 0 && <p className="empty">No such entries.</p>}
      {list.value && list.value.data.length > 0 && (
        <div className="table-frame">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Number</th>
                <th scope="col">State</th>
                <th scope="col">Accepted</th>
                <th scope="col">Ended</th>
                <th scope="col">Error</th>
              </tr>
            </thead>
            <tbody>
              {list.value.data.map((entry) => (
                <EntryRow key={entry.entryId} entry={entry} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pager cursors={cursors} next={list.value?.nextCursor ?? null} go={setCursors} />
    </section>
  )
}

function EntryRow({ entry }: { entry: Entry }) {
  return (
    <tr>
      <th scope="row">
        <a href={to.entry(entry.sendoutId, entry.entryId)}>{entry.client}</a>
      </th>
      <td data-label="State">
        <Tag state={entry.state} />
      </td>
      <td data-label="Accepted">
        <Time at={entry.createdAt} />
      </td>
      <td data-label="Ended">{entry.finishedAt ? <Time at={entry.finishedAt} /> : '–'}</td>
      <td data-label="Error">{entry.error ? entry.error.title : '–'}</td>
    </tr>
  )
}
