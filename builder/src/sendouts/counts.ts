/** What a sendout's counts say. */
import type { Sendout } from '../api/types'

/** Entries with nothing left to do. */
export function ended({ entries }: Sendout): number {
  return entries.accepted - entries.scheduled - entries.queued - entries.running
}

export function share(sendout: Sendout): string {
  const { accepted } = sendout.entries
  return accepted === 0 ? '–' : `${Math.floor((100 * ended(sendout)) / accepted)}%`
}

export function nameOf(sendout: Sendout): string {
  return sendout.label ?? sendout.campaignName ?? 'Single messages'
}
