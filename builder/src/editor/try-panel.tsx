import { type FormEvent, useEffect, useMemo, useState } from 'react'
import { wordsOf } from '../api/client'
import type { Campaign, Entity, Simulation, SimulationStep } from '../api/types'
import type { Flow } from '../flow/document'
import { secondsInWords } from '../flow/durations'
import { ENTRY_ID, flowTest, type Taken } from '../flow/recorded'
import { type Shown, shown, type Values } from '../flow/rendering'
import { useSession } from '../session'
import { downloadJson, fileName } from '../ui/download'
import { Notice } from '../ui/notice'
import type { Mark } from './card'
import { Panel } from './panel'
import { Bubble, Phone } from './phone'
import { trialValues } from './use-examples'

/** What came of some steps, and when it was found out. */
interface Walked {
  result: Simulation
  taken: Taken[]
  at: string
}

/** Walk the flow as one customer: the engine that sends, without sending. */
export function TryPanel({
  campaign,
  flow,
  examples,
  mark,
  close,
}: {
  campaign: Campaign
  flow: Flow
  examples: Values
  mark: (marks: Map<string, Mark>) => void
  close: () => void
}) {
  const { api } = useSession()
  const [taken, setTaken] = useState<Taken[]>([])
  const [walked, setWalked] = useState<Walked | null>(null)
  const [said, setSaid] = useState<string | null>(null)
  const variables = useMemo(() => trialValues(flow, examples), [flow, examples])

  const { campaignId } = campaign

  useEffect(() => {
    const gone = new AbortController()
    const steps = taken.map(({ step }) => step)
    const body = { flow, variables, steps, entryId: ENTRY_ID }
    api
      .call<Entity<Simulation>>(`campaigns/${campaignId}/simulate`, {
        method: 'POST',
        body,
        signal: gone.signal,
      })
      .then(({ entity }) => {
        setWalked({ result: entity, taken, at: new Date().toISOString() })
        setSaid(null)
        mark(marksOf(entity))
      })
      .catch((error: unknown) => {
        if (!gone.signal.aborted) setSaid(wordsOf(error))
      })
    return () => gone.abort()
  }, [api, campaignId, flow, variables, taken, mark])

  const simulation = walked?.result ?? null
  // Until the answer to the last step is there, nobody can tell what the next one follows.
  const isCurrent = walked?.taken === taken
  const next = simulation && isCurrent ? untilNext(simulation, taken) : null
  const seen = simulation?.messages.length ?? 0
  const step = (one: SimulationStep) => {
    if (isCurrent) setTaken([...taken, { step: one, seen }])
  }

  function save() {
    if (!walked) return
    const name = `${campaign.campaignName}, tried ${walked.at.slice(0, 10)}`
    const file = `${fileName(campaign.campaignName)}.json`
    const given = { name, file, flow, variables, at: walked.at }
    const test = flowTest(given, walked.result, walked.taken)
    downloadJson(`${fileName(campaign.campaignName)}.test.json`, test)
  }

  return (
    <Panel title="Try it" close={close}>
      {said && <Notice kind="error">{said}</Notice>}
      <Phone label="The customer's phone">
        {simulation && <Chat {...{ simulation, taken, flow, step }} />}
        {simulation?.messages.length === 0 && <p className="phone-note">No message yet</p>}
      </Phone>
      <ReplyForm send={(reply) => step({ reply })} />
      <div className="row">
        <button
          type="button"
          disabled={next === null}
          onClick={() => next !== null && step({ wait: next })}
        >
          {next === null ? 'Nothing to wait for' : `Wait ${secondsInWords(next)}`}
        </button>
        <button
          type="button"
          disabled={taken.length === 0}
          onClick={() => setTaken(taken.slice(0, -1))}
        >
          Step back
        </button>
        <button type="button" disabled={taken.length === 0} onClick={() => setTaken([])}>
          Start again
        </button>
        <button type="button" disabled={!isCurrent || said !== null} onClick={save}>
          Save as flow test
        </button>
      </div>
      {simulation && <Outcome simulation={simulation} />}
    </Panel>
  )
}

/** Time that has passed by the steps taken, in seconds. */
function elapsed(taken: Taken[]): number {
  return taken.reduce((sum, { step }) => sum + ('wait' in step ? Number(step.wait) : 0), 0)
}

/** Seconds until the next thing happens by itself. */
function untilNext(simulation: Simulation, taken: Taken[]): number | null {
  const now = elapsed(taken)
  const times = simulation.waitingFor.flatMap(({ until }) => (until === null ? [] : [until]))
  return times.length ? Math.max(0, Math.min(...times) - now) : null
}

/** What both sides wrote, in order. */
function Chat({
  simulation,
  taken,
  flow,
  step,
}: {
  simulation: Simulation
  taken: Taken[]
  flow: Flow
  step: (one: SimulationStep) => void
}) {
  const open = simulation.waitingFor.filter((one) => one.kind === 'click')
  const bubbles = simulation.messages.map((message) => {
    const waits = open.find((one) => one.node === message.node && one.visit === message.visit)
    return (
      <Bubble
        key={`${message.node} ${message.visit}`}
        message={asShown(message, flow)}
        meta={`${message.node} · ${message.at === 0 ? 'at once' : `after ${secondsInWords(message.at)}`}`}
        tap={(i) => {
          const button = message.buttons[i]?.id
          if (button === undefined || !waits?.buttons.includes(button)) return null
          return () => step({ click: { node: message.node, button, visit: message.visit } })
        }}
      />
    )
  })
  // From the last to the first, so that the places before stay what they are.
  for (const [i, one] of [...taken.entries()].reverse()) {
    const own = ownWords(simulation, one.step)
    if (own !== null) {
      bubbles.splice(
        one.seen,
        0,
        <p className="bubble own" key={`own ${i}`}>
          {own}
        </p>,
      )
    }
  }
  return bubbles
}

/** What the customer's side shows of a step; nothing for time that passes. */
function ownWords(simulation: Simulation, step: SimulationStep): string | null {
  if ('wait' in step) return null
  return 'reply' in step ? step.reply : labelOf(simulation, step.click)
}

function labelOf(
  simulation: Simulation,
  click: { node: string; button: string; visit: number },
): string {
  const message = simulation.messages.find((m) => m.node === click.node && m.visit === click.visit)
  return message?.buttons.find((button) => button.id === click.button)?.label ?? click.button
}

/** A message of the simulation; what stands around its text is read off the flow. */
function asShown(message: Simulation['messages'][number], flow: Flow): Shown {
  const node = flow.nodes[message.node]
  const around = node?.type === 'message' ? shown(node, {}) : null
  return {
    medium: around?.medium ?? null,
    header: around?.header ?? null,
    footer: around?.footer ?? null,
    menu: around?.menu ?? null,
    links: around?.links ?? [],
    body: message.text,
    buttons: message.buttons.map((button) => button.label),
  }
}

function marksOf(simulation: Simulation): Map<string, Mark> {
  const marks = new Map<string, Mark>(simulation.path.map(({ node }) => [node, 'visited']))
  for (const { node, kind } of simulation.waitingFor)
    if (kind !== 'click') marks.set(node, 'waiting')
  return marks
}

function ReplyForm({ send }: { send: (text: string) => void }) {
  const [text, setText] = useState('')
  function submit(event: FormEvent) {
    event.preventDefault()
    if (!text.trim()) return
    send(text)
    setText('')
  }
  return (
    <form className="row reply" onSubmit={submit}>
      <input
        type="text"
        aria-label="The customer writes"
        placeholder="The customer writes …"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit">Send</button>
    </form>
  )
}

const OUTCOMES = {
  completed: 'The entry is completed.',
  failed: 'The entry has failed.',
  opted_out: 'The customer has opted out.',
}

function Outcome({ simulation }: { simulation: Simulation }) {
  return (
    <>
      {simulation.outcome && <p>{OUTCOMES[simulation.outcome]}</p>}
      {simulation.decisions.length > 0 && (
        <>
          <h3>Why</h3>
          <ol className="reasons">
            {simulation.decisions.map((decision, i) => (
              <li key={i}>
                {decision.node && <code>{decision.node}</code>}{' '}
                {decision.verdict.replaceAll('_', ' ')}: {decision.reason}
              </li>
            ))}
          </ol>
        </>
      )}
      {Object.entries(simulation.outputVariables).map(([name, value]) => (
        <p key={name}>
          <code>{name}</code> is “{value}”
        </p>
      ))}
    </>
  )
}
