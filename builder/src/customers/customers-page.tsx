import { type FormEvent, useCallback, useState } from 'react'
import { ApiError } from '../api/client'
import type { Customer, Entity } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { PhoneField } from '../ui/field'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { useAction } from '../ui/use-action'
import { useLoaded } from '../ui/use-loaded'
import { CustomerEntries } from './customer-entries'

/** Find a customer by number, and see what they got and why. */
export function CustomersPage({ client }: { client: string | null }) {
  const [typed, setTyped] = useState(client ?? '')

  function search(event: FormEvent) {
    event.preventDefault()
    location.hash = to.customer(typed.trim())
  }

  return (
    <>
      <h1>{client ? `Customer ${client}` : 'Customers'}</h1>
      <form onSubmit={search} className="row search">
        <PhoneField label="Number, or WhatsApp's user id" value={typed} onChange={setTyped} />
        <button type="submit">Find</button>
      </form>
      {client ? (
        <Found client={client} />
      ) : (
        <p className="empty">
          Everything that is known of one customer: what they got in all sendouts, and why.
        </p>
      )}
    </>
  )
}

function Found({ client }: { client: string }) {
  const { api, canOperate } = useSession()
  const path = `customers/${encodeURIComponent(client)}`
  const read = useCallback(async (): Promise<Customer | 'unknown'> => {
    try {
      return (await api.call<Entity<Customer>>(path)).entity
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return 'unknown'
      throw error
    }
  }, [api, path])
  const loaded = useLoaded(read, 5000)
  const { value: customer, reload } = loaded
  const { run, said: refused, busy } = useAction()

  function change(method: 'PUT' | 'DELETE') {
    return run(async () => {
      const body = method === 'PUT' ? {} : undefined
      await api.call(`opt-outs/${encodeURIComponent(client)}`, { method, body })
      await reload()
    })
  }

  if (!customer) return <Reading of={loaded} />
  if (customer === 'unknown') {
    return <p className="empty">Nothing is known of {client}: no entry, no message, no opt-out.</p>
  }
  const { optOut, lastInbound, names } = customer
  return (
    <>
      {refused && <Notice kind="error">{refused}</Notice>}
      <Reading of={loaded} />
      <div className="row">
        {optOut ? (
          <span>
            <Tag state="opted_out" /> of marketing since <Time at={optOut.at} />, {sourceOf(optOut)}
          </span>
        ) : (
          <Tag state="may_get_marketing" />
        )}
        {canOperate && (
          <button
            type="button"
            disabled={busy}
            onClick={() => void change(optOut ? 'DELETE' : 'PUT')}
          >
            {optOut ? 'Lift the opt-out' : 'Opt out'}
          </button>
        )}
      </div>
      <p className="facts">
        {names.length > 1 && <span>Known as {names.join(', ')}</span>}
        <span>
          {lastInbound ? (
            <>
              Last heard of <Time at={lastInbound.at} />: {lastInbound.text ?? lastInbound.kind}
            </>
          ) : (
            'Has never written or tapped'
          )}
        </span>
      </p>
      <CustomerEntries customer={customer} />
    </>
  )
}

function sourceOf({ byHand, source }: NonNullable<Customer['optOut']>): string {
  if (!byHand) return `as heard: ${source}`
  return source === 'hand' ? 'entered by hand' : `entered by hand: ${source}`
}
