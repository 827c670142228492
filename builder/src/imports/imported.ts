/** What is sent with a file, and which column is taken for what. */
import type { Import } from '../api/types'

export type Column = Import['columns'][number]

export interface Order {
  file: File
  campaignName: string
  label: string
  /** A channel's number; empty for the default one. */
  sender: string
  /** As the browser's field has it, in the reader's own time; empty for at once. */
  startsAt: string
  /** Whether customers who got the campaign before get it again. */
  again: boolean
}

/** The query of `…/imports`; without columns the server matches them by their headers. */
export function queryOf(order: Order, columns: Column[] | null): URLSearchParams {
  const { campaignName, label, sender, startsAt, again } = order
  const given = {
    campaignName,
    label: label.trim(),
    sender,
    scheduledAt: startsAt && new Date(startsAt).toISOString(),
    ifDuplicateCheckUnspecified: again ? 'allow_multiple' : '',
    mapping: columns ? JSON.stringify(mappingOf(columns)) : '',
  }
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value !== ''))
}

function mappingOf(columns: Column[]): Record<string, string> {
  const told = columns.flatMap(({ name, target }) => (target === null ? [] : [[name, target]]))
  return Object.fromEntries(told)
}
