import { type FormEvent, useState } from 'react'
import { ApiError } from '../api/client'
import type { EnteredOptOuts, OptedOut } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { download } from '../ui/download'
import { Field, PhoneField } from '../ui/field'
import { FileButton } from '../ui/file-button'
import { ListTable } from '../ui/list-table'
import { Notice } from '../ui/notice'
import { Pager } from '../ui/pager'
import { Reading } from '../ui/reading'
import { Time } from '../ui/time'
import { useAction } from '../ui/use-action'
import { usePages } from '../ui/use-pages'

const PAGE = 100
const MOST_ISSUES_SHOWN = 10

/** Who wants no marketing: the list, with what it takes to keep it. */
export function OptOutsPage() {
  const { api, canOperate } = useSession()
  const list = usePages<OptedOut>('opt-outs', PAGE)
  const { run, said, busy } = useAction()

  function lift(client: string) {
    return run(async () => {
      await api.call(`opt-outs/${encodeURIComponent(client)}`, { method: 'DELETE' })
      await list.reload()
    })
  }

  function save() {
    return run(async () => download('opt-outs.csv', await api.file('opt-outs', 'text/csv')))
  }

  const listed = list.value?.data ?? []
  return (
    <>
      <div className="row heading">
        <h1>Opt-outs</h1>
        {canOperate && <ImportList reload={list.reload} />}
        <button type="button" disabled={busy} onClick={() => void save()}>
          Download
        </button>
      </div>
      <p className="soft">
        These customers get no marketing. STOP and the like, taps on such buttons and what people
        choose inside WhatsApp are entered automatically.
      </p>
      <AddOrFind reload={list.reload} />
      {said && <Notice kind="error">{said}</Notice>}
      <Reading of={list} />
      {list.value && listed.length === 0 && <p className="empty">Nobody has opted out.</p>}
      {listed.length > 0 && (
        <ListTable columns={['Number', 'Source', 'Since', { unseen: 'Actions' }]}>
          {listed.map((one) => (
            <tr key={one.client}>
              <th scope="row">
                <a href={to.customer(one.client)}>{one.client}</a>
              </th>
              <td data-label="Source">
                {one.source}
                {one.byHand ? ', by hand' : ''}
              </td>
              <td data-label="Since">
                <Time at={one.at} />
              </td>
              <td className="actions">
                {canOperate && (
                  <button
                    type="button"
                    className="quiet"
                    disabled={busy}
                    aria-label={`Lift the opt-out of ${one.client}`}
                    onClick={() => void lift(one.client)}
                  >
                    Lift
                  </button>
                )}
              </td>
            </tr>
          ))}
        </ListTable>
      )}
      <Pager of={list} />
    </>
  )
}

/** One number: look it up, or enter it. */
function AddOrFind({ reload }: { reload: () => Promise<void> }) {
  const { api, canOperate } = useSession()
  const [client, setClient] = useState('')
  const [source, setSource] = useState('hand')
  const { run, said, busy } = useAction()

  function find(event: FormEvent) {
    event.preventDefault()
    location.hash = to.customer(client.trim())
  }

  function add() {
    return run(async () => {
      const path = `opt-outs/${encodeURIComponent(client.trim())}`
      await api.call(path, { method: 'PUT', body: { source: source.trim() } })
      setClient('')
      await reload()
    })
  }

  return (
    <form onSubmit={find} className="row by-number">
      <PhoneField label="Number" value={client} onChange={setClient} />
      {canOperate && (
        <Field label="Source">
          {(field) => (
            <input
              {...field}
              type="text"
              maxLength={64}
              value={source}
              onChange={(event) => setSource(event.target.value)}
            />
          )}
        </Field>
      )}
      <button type="submit">Find</button>
      {canOperate && (
        <button type="button" disabled={busy || !client.trim()} onClick={() => void add()}>
          Opt out
        </button>
      )}
      {said && <Notice kind="error">{said}</Notice>}
    </form>
  )
}

interface RowIssue {
  row: number
  message: string
}

/** A list from a file, CSV or JSON: all of it, or nothing and why. */
function ImportList({ reload }: { reload: () => Promise<void> }) {
  const { api } = useSession()
  const [entered, setEntered] = useState<number | null>(null)
  const [issues, setIssues] = useState<RowIssue[]>([])
  const { run, said, busy } = useAction()

  function take(list: File) {
    const type = /\.json$/i.test(list.name) ? 'application/json' : 'text/csv'
    const body = list.slice(0, list.size, type)
    setEntered(null)
    setIssues([])
    void run(async () => {
      try {
        const answer = await api.call<EnteredOptOuts>('opt-outs', { method: 'POST', body })
        setEntered(answer.entered)
        await reload()
      } catch (error) {
        const found = error instanceof ApiError ? error.details.issues : null
        if (Array.isArray(found)) setIssues(found as RowIssue[])
        throw error
      }
    })
  }

  return (
    <>
      <FileButton
        label="Import"
        about="Opt-outs to import"
        accept=".csv,.json,text/csv,application/json"
        title="CSV with a column client, or a JSON list"
        disabled={busy}
        take={take}
      />
      {entered !== null && (
        <Notice kind="good">
          {entered} {entered === 1 ? 'customer is' : 'customers are'} on the list by hand now.
        </Notice>
      )}
      {said && (
        <Notice kind="error">
          {said}
          {issues.length > 1 && (
            <ul>
              {issues.slice(0, MOST_ISSUES_SHOWN).map((issue) => (
                <li key={issue.row}>
                  Row {issue.row}: {issue.message}
                </li>
              ))}
            </ul>
          )}
        </Notice>
      )}
    </>
  )
}
