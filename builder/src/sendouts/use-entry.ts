import { useCallback } from 'react'
import type { Entity, EntryWithTimeline } from '../api/types'
import { useSession } from '../session'
import { type Loaded, useLoaded } from '../ui/use-loaded'

/** An entry with its timeline, read again every so many milliseconds. */
export function useEntry(path: string, every: number): Loaded<EntryWithTimeline> {
  const { api } = useSession()
  return useLoaded(
    useCallback(async () => (await api.call<Entity<EntryWithTimeline>>(path)).entity, [api, path]),
    every,
  )
}

export function entryPath(sendoutId: string, entryId: string): string {
  return `sendouts/${sendoutId}/entries/${entryId}`
}
