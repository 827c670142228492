/** A walk through a flow as a flow test: a file for `sendout flow test`. Pure. */
import type { Simulation, SimulationStep } from '../api/types'
import type { Flow } from './document'
import { duration, partsOf } from './durations'
import type { Values } from './rendering'

/** A step, and how many messages the customer had when it was taken. */
export interface Taken {
  step: SimulationStep
  seen: number
}

/** Splits go by it; the trial and its test are to take the same path. */
export const ENTRY_ID = 'trial'

interface TestStep {
  after?: string
  click?: { message: string; button: string; visit?: number }
  reply?: string
  expect: string[]
}

interface FlowTest {
  format: 1
  name: string
  flow: string
  variables?: Values
  start?: string
  entryId?: string
  steps: TestStep[]
  outcome: string
  answers?: Record<string, string>
}

/** `file` is the flow's own, `at` the moment of the trial, which a sending window goes by. */
export function flowTest(
  given: { name: string; file: string; flow: Flow; variables: Values; at: string },
  simulation: Simulation,
  taken: Taken[],
): FlowTest {
  const { name, file, flow, variables, at } = given
  const answers = simulation.outputVariables
  const splits = Object.values(flow.nodes).some((node) => node.type === 'split')
  return {
    format: 1,
    name,
    flow: file,
    ...(Object.keys(variables).length ? { variables } : {}),
    ...(flow.window ? { start: at } : {}),
    ...(splits ? { entryId: ENTRY_ID } : {}),
    steps: stepsOf(simulation, taken),
    outcome: simulation.outcome ?? 'running',
    ...(Object.keys(answers).length ? { answers } : {}),
  }
}

/** What each step brought; time that passes before a tap or a text is part of that step. */
function stepsOf(simulation: Simulation, taken: Taken[]): TestStep[] {
  const names = simulation.messages.map((message) => message.node)
  const steps: TestStep[] = [{ expect: names.slice(0, taken[0]?.seen) }]
  let waited = 0
  let from = taken[0]?.seen ?? names.length
  for (const [i, { step, seen }] of taken.entries()) {
    const until = taken[i + 1]?.seen
    if ('wait' in step) waited += Number(step.wait)
    const isLast = i === taken.length - 1
    if ('wait' in step && !isLast) continue
    steps.push({
      ...(waited > 0 ? { after: duration(partsOf(`PT${waited}S`)) } : {}),
      ...('click' in step ? { click: clickOf(simulation, step.click, seen) } : {}),
      ...('reply' in step ? { reply: step.reply } : {}),
      expect: names.slice(from, until),
    })
    waited = 0
    from = until ?? names.length
  }
  return steps
}

/** The button by its label where that says which; the visit unless it is the newest so far. */
function clickOf(
  { messages }: Simulation,
  click: { node: string; button: string; visit: number },
  seen: number,
): TestStep['click'] {
  const of = messages.slice(0, seen).filter((message) => message.node === click.node)
  const buttons = of.find((message) => message.visit === click.visit)?.buttons ?? []
  const label = buttons.find((button) => button.id === click.button)?.label
  const alone = buttons.filter((button) => button.label === label || button.id === label)
  const newest = Math.max(...of.map((message) => message.visit))
  return {
    message: click.node,
    button: label && alone.length === 1 ? label : click.button,
    ...(click.visit === newest ? {} : { visit: click.visit }),
  }
}
