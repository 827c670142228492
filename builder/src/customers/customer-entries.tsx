import { useState } from 'react'
import type { Customer } from '../api/types'
import { to } from '../routes'
import { Timeline } from '../sendouts/timeline'
import { entryPath, useEntry } from '../sendouts/use-entry'
import { ListTable } from '../ui/list-table'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'

type CustomerEntry = Customer['entries'][number]

/** What a customer was sent, newest first: the entries, each with its reasons, and the messages. */
export function CustomerEntries({ customer }: { customer: Customer }) {
  const { entries, messages } = customer
  return (
    <>
      <section className="entries" aria-label="Entries">
        <h2>Entries ({entries.length})</h2>
        {entries.length === 0 && <p className="empty">None.</p>}
        {entries.map((entry) => (
          <EntryPart key={entry.entryId} entry={entry} />
        ))}
      </section>
      <section className="entries" aria-label="Messages">
        <h2>Messages ({messages.length})</h2>
        {messages.length === 0 && <p className="empty">None.</p>}
        {messages.length > 0 && (
          <ListTable columns={['When', 'Message', 'State', 'From', 'Read']}>
            {messages.map((message) => (
              <tr key={message.messageId}>
                <th scope="row">
                  <a href={to.entry(message.sendoutId, message.entryId)}>
                    <Time at={message.createdAt} />
                  </a>
                </th>
                <td data-label="Message">
                  <span className="soft">{message.template ?? message.node}</span> {message.text}
                </td>
                <td data-label="State">
                  <Tag state={stateOf(message)} />
                </td>
                <td data-label="From">{message.sender}</td>
                <td data-label="Read">{message.readAt ? <Time at={message.readAt} /> : '–'}</td>
              </tr>
            ))}
          </ListTable>
        )}
      </section>
    </>
  )
}

/** As far as it came. */
function stateOf(message: Customer['messages'][number]): string {
  if (message.state !== 'sent') return message.state
  return message.readAt ? 'read' : message.deliveredAt ? 'delivered' : 'sent'
}

function EntryPart({ entry }: { entry: CustomerEntry }) {
  const [isOpen, setOpen] = useState(false)
  const name = entry.campaignName ?? 'Single messages'
  return (
    <article className="sheet entry-part">
      <div className="row">
        <h3>{entry.campaignId ? <a href={to.campaign(entry.campaignId)}>{name}</a> : name}</h3>
        <Tag state={entry.state} />
        {entry.source === 'test' && <Tag state="test" />}
        <span className="soft">
          <Time at={entry.createdAt} />
        </span>
      </div>
      {entry.error && (
        <p>
          {entry.error.title}
          {entry.error.providerCode === null ? '' : ` (${entry.error.providerCode})`}
        </p>
      )}
      <div className="row">
        <a href={to.sendout(entry.sendoutId)}>The sendout</a>
        <a href={to.entry(entry.sendoutId, entry.entryId)}>The entry</a>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-label={`Why: ${name}, ${entry.state.replaceAll('_', ' ')}`}
          onClick={() => setOpen(!isOpen)}
        >
          Why?
        </button>
      </div>
      {isOpen && <Why entry={entry} />}
    </article>
  )
}

function Why({ entry }: { entry: CustomerEntry }) {
  const read = useEntry(entryPath(entry.sendoutId, entry.entryId), 5000)
  return read.value ? <Timeline steps={read.value.timeline} /> : <Reading of={read} />
}
