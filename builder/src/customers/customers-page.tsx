import { type FormEvent, useCallback, useState } from 'react'
import { ApiError } from '../api/client'
import type { Customer, Entity } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { Field } from '../ui/field'
import { Notice } from '../ui/notice'
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
        <Field label="Number, or WhatsApp's user id">
          {(field) => (
            <input
              {...field}
              type="tel"
              required
              placeholder="+16045552331"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
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
  const { value: customer, said, reload } = useLoaded(read, 5000)
  const { run, said: refused, busy } = useAction()

  function change(method: 'PUT' | 'DELETE') {
    return run(async () => {
      const body = method === 'PUT' ? {} : undefined
      await api.call(`opt-outs/${encodeURIComponent(client)}`, { method, body })
      await reload()
    })
  }

  if (!customer)
    return said ? <Notice kind="error">{said}</Notice> : <p className="soft">Reading …</p>
  if (customer === 'unknown') {
    return <p className="empty">Nothing is known of {client}: no entry, no message, no opt-out.</p>
  }
  const { optOut, lastInbound, names } = customer
  return (
    <>
      {(refused ?? said) && <Notice kind="error">{refused ?? said}</Notice>}
      <div className="row">
        {optOut ? (
          <span>
            <span className="tag opted_out">opted out</span> of marketing since{' '}
            <Time at={optOut.at} />, {optOut.byHand ? 'entered by hand' : 'as heard'}:{' '}
            {optOut.source}
          </span>
        ) : (
          <span>
            <span className="tag">may get marketing</span>
          </span>
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
