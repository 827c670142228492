import { expect, it } from 'vitest'
import type { Simulation } from '../api/types'
import { flow } from '../testing/flows'
import { flowTest, type Taken } from './recorded'

const BUTTONS = [
  { id: 'yes', label: 'Tell me more' },
  { id: 'no', label: 'Not now' },
]

function simulation(messages: [string, number][], more: Partial<Simulation> = {}): Simulation {
  return {
    messages: messages.map(([node, visit]) => ({
      node,
      visit,
      at: 0,
      type: 'template',
      template: null,
      text: '',
      buttons: node === 'welcome' ? BUTTONS : [],
    })),
    path: [],
    decisions: [],
    waitingFor: [],
    outcome: null,
    outputVariables: {},
    ...more,
  }
}

function recorded(walked: Simulation, taken: Taken[], document = flow('documented')) {
  const variables = { customername: 'Ada' }
  const given = { name: 'tried', file: 'spring.json', flow: document, variables, at: 'now' }
  return flowTest(given, walked, taken)
}

const tap = (button: string, visit = 1) => ({ click: { node: 'welcome', button, visit } })

it('says what each step brought, with the time that passed before it', () => {
  const walked = simulation([
    ['welcome', 1],
    ['nudge', 1],
    ['offer', 1],
  ])
  const taken = [
    { step: { wait: 72_000 }, seen: 1 },
    { step: { wait: 5_400 }, seen: 2 },
    { step: tap('yes'), seen: 2 },
    { step: { reply: 'Thanks' }, seen: 3 },
    { step: { wait: 30 }, seen: 3 },
  ]
  expect(recorded(walked, taken)).toEqual({
    format: 1,
    name: 'tried',
    flow: 'spring.json',
    variables: { customername: 'Ada' },
    steps: [
      { expect: ['welcome'] },
      {
        after: 'PT21H30M',
        click: { message: 'welcome', button: 'Tell me more' },
        expect: ['nudge', 'offer'],
      },
      { reply: 'Thanks', expect: [] },
      { after: 'PT30S', expect: [] },
    ],
    outcome: 'running',
  })
})

it('names the visit of an older message, and the id where a label is not alone', () => {
  const walked = simulation([
    ['welcome', 1],
    ['welcome', 2],
  ])
  for (const message of walked.messages)
    message.buttons = [
      { id: 'a', label: 'X' },
      { id: 'b', label: 'X' },
    ]
  const { steps } = recorded(walked, [{ step: tap('b'), seen: 2 }])
  expect(steps[1]?.click).toEqual({ message: 'welcome', button: 'b', visit: 1 })
})

it('keeps the outcome, the answers, and what windows and splits go by', () => {
  const document = flow('documented')
  document.window = { timezone: 'UTC', from: '09:00', to: '20:00' }
  document.nodes.split = { type: 'split', paths: [{ weight: 1 }] }
  const walked = simulation([], { outcome: 'completed', outputVariables: { color: 'red' } })
  expect(recorded(walked, [], document)).toMatchObject({
    start: 'now',
    entryId: 'trial',
    outcome: 'completed',
    answers: { color: 'red' },
    steps: [{ expect: [] }],
  })
})
