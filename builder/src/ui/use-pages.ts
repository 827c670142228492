import { useCallback, useState } from 'react'
import type { Page } from '../api/types'
import { useSession } from '../session'
import { type Loaded, useLoaded } from './use-loaded'

export interface Pages<T> extends Loaded<Page<T>> {
  /** Where each page after the first begins, up to this one. */
  cursors: string[]
  go: (cursors: string[]) => void
}

/** A list of the API in pages, each read as `useLoaded` does; an empty filter is left out. */
export function usePages<T>(
  path: string,
  limit: number,
  filters: Record<string, string | null> = {},
  every: number | null = null,
): Pages<T> {
  const { api } = useSession()
  const query = new URLSearchParams({ limit: String(limit) })
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value)
  const list = `${path}?${query}`

  const [place, setPlace] = useState<{ list: string; cursors: string[] }>({ list, cursors: [] })
  const go = (cursors: string[]) => setPlace({ list, cursors })
  // A cursor is of one list: another one begins with its first page.
  if (place.list !== list) go([])

  const cursor = place.cursors.at(-1)
  const address = cursor ? `${list}&cursor=${encodeURIComponent(cursor)}` : list
  const read = useCallback(() => api.call<Page<T>>(address), [api, address])
  return { ...useLoaded(read, every), cursors: place.cursors, go }
}
