/** Everything that happened to an entry, in words. */
import type { ReactNode } from 'react'
import type { Step } from '../api/types'
import { inWords } from '../flow/durations'
import { Time } from '../ui/time'

export function Timeline({ steps }: { steps: Step[] }) {
  return (
    <ol className="timeline">
      {steps.map((step, i) => (
        <li key={i} className={moodOf(step)}>
          <Time at={step.at} exact />
          <div className="what">{said(step)}</div>
        </li>
      ))}
    </ol>
  )
}

function moodOf(step: Step): string {
  if (step.type === 'error' || step.status === 'failed' || step.status === 'unknown') return 'bad'
  if (step.type === 'ended') return step.state === 'completed' ? 'good' : 'bad'
  if (step.type === 'delay' || step.type === 'hold' || step.type === 'ask') return 'wait'
  return ['send', 'click', 'answer'].includes(step.type) ? 'good' : ''
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}

function reason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return [text(code), text(message)].filter(Boolean).join(': ')
}

function said(step: Step): ReactNode {
  const node = <b>{text(step.node)}</b>
  switch (step.type) {
    case 'accepted':
      return step.scheduledAt ? (
        <>
          Accepted, for <Time at={text(step.scheduledAt)} />
        </>
      ) : (
        'Accepted'
      )
    case 'duplicate':
      return <>Duplicate of entry {text(step.entryId)}: nothing is sent</>
    case 'started':
      return `Started${Number(step.attempt) > 1 ? `, attempt ${text(step.attempt)}` : ''}`
    case 'send':
      return (
        <>
          Message {node}
          {step.template ? <> with template {text(step.template)}</> : null} from{' '}
          {text(step.sender)}
          <p>{text(step.text)}</p>
        </>
      )
    case 'hold':
      return (
        <>
          Message {node} is held: {text(step.heldFor) || 'waiting'}
        </>
      )
    case 'not_sent':
      return (
        <>
          Message {node} was not sent: {text(step.reason).replaceAll('_', ' ')}
        </>
      )
    case 'status':
      return (
        <>
          {node} {text(step.status)}
          {step.error ? <p>{reason(step.error)}</p> : null}
        </>
      )
    case 'error':
      return (
        <>
          {node}: {reason(step)}
        </>
      )
    case 'click':
      return (
        <>
          Tapped <b>{text(step.label ?? step.button)}</b>
          {step.counted === false ? ', which changed nothing' : null}
        </>
      )
    case 'delay':
      return (
        <>
          Time delay {node}, {inWords(text(step.duration))}, until{' '}
          <Time at={text(step.until)} exact />
        </>
      )
    case 'decision':
      return (
        <>
          {node}: {text(step.summary)}
        </>
      )
    case 'ask':
      return (
        <>
          {node} waits for an answer, at most {inWords(text(step.timeout))}
        </>
      )
    case 'answer':
      return (
        <>
          Answered {node}: “{text(step.text)}”
        </>
      )
    case 'ask_timeout':
      return <>{node} got no answer in time</>
    case 'reply':
      return <>Wrote: “{text(step.text) || text(step.kind)}”</>
    case 'ended':
      return (
        <>
          Ended: <b>{text(step.state).replaceAll('_', ' ')}</b>
          {step.error ? <p>{reason(step.error)}</p> : null}
        </>
      )
  }
}
