import { useCallback, useState } from 'react'
import { askedVariables, type Flow } from '../flow/document'
import type { Values } from '../flow/rendering'

/** Example values of a campaign's variables, kept in this browser: they are no part of the flow. */
export function useExamples(campaignId: string): [Values, (name: string, value: string) => void] {
  const place = `sendout.examples.${campaignId}`
  const [examples, setExamples] = useState<Values>(() => stored(place))
  const setExample = useCallback(
    (name: string, value: string) =>
      setExamples((known) => {
        const changed = { ...known, [name]: value }
        localStorage.setItem(place, JSON.stringify(changed))
        return changed
      }),
    [place],
  )
  return [examples, setExample]
}

function stored(place: string): Values {
  try {
    return JSON.parse(localStorage.getItem(place) ?? '{}') as Values
  } catch {
    return {}
  }
}

/** What a trial is given: the examples, and the variable's own name where a value is needed. */
export function trialValues(flow: Flow, examples: Values): Values {
  const asked = new Set(askedVariables(flow))
  const values = Object.entries(flow.variables ?? {}).flatMap(([name, variable]) => {
    const example = examples[name]
    if (example) return [[name, example]]
    const needed = variable.required ?? variable.default == null
    return needed && !asked.has(name) ? [[name, name]] : []
  })
  return Object.fromEntries(values) as Values
}
