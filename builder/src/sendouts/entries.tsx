import { type FormEvent, useState } from 'react'
import type { Entry } from '../api/types'
import { to } from '../routes'
import { ListTable } from '../ui/list-table'
import { Pager } from '../ui/pager'
import { Reading } from '../ui/reading'
import { StateSelect } from '../ui/state-select'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { usePages } from '../ui/use-pages'

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
  const [state, setState] = useState('')
  const [typed, setTyped] = useState('')
  const [client, setClient] = useState('')
  const list = usePages<Entry>(`sendouts/${sendoutId}/entries`, PAGE, { state, client }, 4000)

  function search(event: FormEvent) {
    event.preventDefault()
    // From the first page, also for the same number.
    list.go([])
    setClient(typed.trim())
  }

  return (
    <section aria-label="Entries" className="entries">
      <form className="row" onSubmit={search}>
        <h2>Entries</h2>
        <StateSelect states={STATES} value={state} onChange={setState} />
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
        <ListTable columns={['Number', 'State', 'Accepted', 'Ended', 'Error']}>
          {list.value.data.map((entry) => (
            <EntryRow key={entry.entryId} entry={entry} />
          ))}
        </ListTable>
      )}
      <Pager of={list} />
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
