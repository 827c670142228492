import { useCallback } from 'react'
import type { Page, Sendout, SendoutError } from '../api/types'
import { useSession } from '../session'
import { ListTable } from '../ui/list-table'
import { Reading } from '../ui/reading'
import { useLoaded } from '../ui/use-loaded'

/** Why messages failed, by reason; nothing where none did. */
export function Errors({ sendout }: { sendout: Sendout }) {
  const { entries, messages } = sendout
  if (messages.failed + entries.failed + entries.unknown === 0) return null
  // Read again when there are more.
  const state = `${messages.failed} ${entries.failed} ${entries.unknown}`
  return <Reasons sendoutId={sendout.sendoutId} key={state} />
}

function Reasons({ sendoutId }: { sendoutId: string }) {
  const { api } = useSession()
  const read = useCallback(
    async () => (await api.call<Page<SendoutError>>(`sendouts/${sendoutId}/errors`)).data,
    [api, sendoutId],
  )
  const list = useLoaded(read)
  const reasons = list.value
  if (!reasons) return <Reading of={list} />
  return (
    <section aria-label="Why messages failed" className="entries">
      <h2>Why messages failed</h2>
      <ListTable
        columns={['Reason', { number: 'Messages' }, { number: 'Entries' }, 'What it means']}
      >
        {reasons.map((reason) => (
          <tr key={`${reason.code} ${reason.providerCode} ${reason.title}`}>
            <th scope="row">
              {reason.title}{' '}
              <span className="soft">
                {reason.providerCode ?? reason.code.replace('ERROR_CODE_', '')}
              </span>
            </th>
            <td data-label="Messages" className="number">
              {reason.messages}
            </td>
            <td data-label="Entries" className="number">
              {reason.entries}
            </td>
            <td data-label="What it means">
              {reason.explanation} {reason.retryable && <span className="tag">retryable</span>}
            </td>
          </tr>
        ))}
      </ListTable>
    </section>
  )
}
