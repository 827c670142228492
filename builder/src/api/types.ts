/** The API's answers, as its own description names them (`api.json`). */
import type { components } from './schema'

type Schemas = components['schemas']

export type Campaign = Schemas['Campaign']
export type Channel = Schemas['Channel']
export type Customer = Schemas['Customer']
export type Draft = Schemas['Draft']
export type EnteredOptOuts = Schemas['EnteredOptOuts']
export type Entry = Omit<Schemas['EntryWithTimeline'], 'timeline'>
export type EntryWithTimeline = Schemas['EntryWithTimeline']
export type FrozenFlow = Schemas['FrozenFlow']
export type Import = Schemas['Import']
export type Issue = Schemas['Issue']
export type Me = Schemas['Me']
export type NodeCounts = Schemas['NodeCounts']
export type OptedOut = Schemas['OptedOutCustomer']
export type Published = Schemas['Published']
export type Sendout = Schemas['Sendout']
export type SendoutError = Schemas['SendoutError']
export type Simulation = Schemas['SimulationResult']
export type StartedTest = Schemas['StartedTest']
export type TemplateGroups = Schemas['TemplateGroups']
export type Step = Schemas['Step']

export interface Page<T> {
  data: T[]
  nextCursor: string | null
}

export interface Entity<T> {
  entity: T
}

export type SimulationStep =
  | { wait: string | number }
  | { click: { node: string; button: string; visit: number } }
  | { reply: string }
