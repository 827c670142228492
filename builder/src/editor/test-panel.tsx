import { type FormEvent, useCallback, useState } from 'react'
import type { Entity, EntryWithTimeline, StartedTest } from '../api/types'
import type { Flow } from '../flow/document'
import type { Values } from '../flow/rendering'
import { Timeline } from '../sendouts/timeline'
import { useSession } from '../session'
import { Field } from '../ui/field'
import { Notice } from '../ui/notice'
import { useLoaded } from '../ui/use-loaded'
import { Panel } from './panel'
import { trialValues } from './use-examples'

const NUMBER = 'sendout.test-number'

/** Send the draft to one number, and see what happens to it. */
export function TestPanel({
  campaignId,
  flow,
  examples,
  flush,
  close,
}: {
  campaignId: string
  flow: Flow
  examples: Values
  flush: () => Promise<boolean>
  close: () => void
}) {
  const { api } = useSession()
  const [client, setClient] = useState(() => sessionStorage.getItem(NUMBER) ?? '')
  const [short, setShort] = useState(true)
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState<string | null>(null)
  const [started, setStarted] = useState<StartedTest | null>(null)

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    try {
      if (!(await flush())) throw new Error('The draft could not be saved, so it was not sent.')
      const variables = trialValues(flow, examples)
      const { entity } = await api.call<Entity<StartedTest>>(`campaigns/${campaignId}/test`, {
        method: 'POST',
        body: { client, variables, ...(short ? { maxDelay: 'PT10S' } : {}) },
      })
      sessionStorage.setItem(NUMBER, client)
      setStarted(entity)
      setSaid(null)
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }

  return (
    <Panel title="Send a test" close={close}>
      <form onSubmit={submit} className="card-fields">
        <Field
          label="Number"
          hint="It gets real messages, with the example values of the variables. Tests are outside all counts."
        >
          {(field) => (
            <input
              {...field}
              type="tel"
              required
              placeholder="+16045552331"
              value={client}
              onChange={(event) => setClient(event.target.value)}
            />
          )}
        </Field>
        <label className="check">
          <input
            type="checkbox"
            checked={short}
            onChange={(event) => setShort(event.target.checked)}
          />
          Cut delays to 10 seconds
        </label>
        {said && <Notice kind="error">{said}</Notice>}
        <button type="submit" className="primary" disabled={busy || !client.trim()}>
          Send the test
        </button>
      </form>
      {started && <TestProgress key={started.entryId} test={started} />}
    </Panel>
  )
}

function TestProgress({ test }: { test: StartedTest }) {
  const { api } = useSession()
  const entry = useLoaded(
    useCallback(
      async () =>
        (
          await api.call<Entity<EntryWithTimeline>>(
            `sendouts/${test.sendoutId}/entries/${test.entryId}`,
          )
        ).entity,
      [api, test],
    ),
    1500,
  )
  if (!entry.value) return entry.said ? <Notice kind="error">{entry.said}</Notice> : null
  return (
    <section aria-label="What happens to the test">
      <p>
        <span className={`tag ${entry.value.state}`}>{entry.value.state.replaceAll('_', ' ')}</span>
      </p>
      <Timeline steps={entry.value.timeline} />
    </section>
  )
}
