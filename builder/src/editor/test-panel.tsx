import { type FormEvent, useState } from 'react'
import type { Entity, StartedTest } from '../api/types'
import type { Flow } from '../flow/document'
import type { Values } from '../flow/rendering'
import { Timeline } from '../sendouts/timeline'
import { entryPath, useEntry } from '../sendouts/use-entry'
import { useSession } from '../session'
import { PhoneField } from '../ui/field'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { useAction } from '../ui/use-action'
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
  const { run, said, busy } = useAction()
  const [started, setStarted] = useState<StartedTest | null>(null)

  function submit(event: FormEvent) {
    event.preventDefault()
    void run(async () => {
      if (!(await flush())) throw new Error('The draft could not be saved, so it was not sent.')
      const variables = trialValues(flow, examples)
      const { entity } = await api.call<Entity<StartedTest>>(`campaigns/${campaignId}/test`, {
        method: 'POST',
        body: { client, variables, ...(short ? { maxDelay: 'PT10S' } : {}) },
      })
      sessionStorage.setItem(NUMBER, client)
      setStarted(entity)
    })
  }

  return (
    <Panel title="Send a test" close={close}>
      <form onSubmit={submit} className="card-fields">
        <PhoneField
          label="Number"
          hint="It gets real messages, with the example values of the variables. Tests are outside all counts."
          value={client}
          onChange={setClient}
        />
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
  const entry = useEntry(entryPath(test.sendoutId, test.entryId), 1500)
  if (!entry.value) return <Reading of={entry} />
  return (
    <section aria-label="What happens to the test">
      <p>
        <Tag state={entry.value.state} />
      </p>
      <Timeline steps={entry.value.timeline} />
    </section>
  )
}
