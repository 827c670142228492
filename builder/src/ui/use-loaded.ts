import { useCallback, useEffect, useRef, useState } from 'react'
import { wordsOf } from '../api/client'

export interface Loaded<T> {
  value: T | null
  /** Why it could not be read; what was read before stays. */
  said: string | null
  reload: () => Promise<void>
}

/** Read something now, and every `every` milliseconds again while the page can be seen. */
export function useLoaded<T>(read: () => Promise<T>, every: number | null = null): Loaded<T> {
  const [value, setValue] = useState<T | null>(null)
  const [said, setSaid] = useState<string | null>(null)
  const newest = useRef(0)
  const underWay = useRef(0)

  const reload = useCallback(async () => {
    newest.current += 1
    underWay.current += 1
    const mine = newest.current
    try {
      const found = await read()
      // An answer that was overtaken by a later question is old.
      if (mine === newest.current) {
        setValue(found)
        setSaid(null)
      }
    } catch (error) {
      if (mine === newest.current) setSaid(wordsOf(error))
    } finally {
      underWay.current -= 1
    }
  }, [read])

  useEffect(() => {
    setValue(null)
    void reload()
    return () => {
      newest.current += 1
    }
  }, [reload])

  useEffect(() => {
    if (every === null) return
    const timer = setInterval(() => {
      // A slow answer is waited for; asked again each time, it would always be an old one.
      if (!document.hidden && underWay.current === 0) void reload()
    }, every)
    return () => clearInterval(timer)
  }, [reload, every])

  return { value, said, reload }
}
