/** Who is signed in: the API key lives in this tab's session storage and nowhere else. */

import type { ReactNode } from 'react'
import { createContext, useCallback, useContext, useMemo, useState } from 'react'
import { Api, temporalAddress, whoIs } from './api/client'
import type { Me } from './api/types'
import { SignInPage } from './sign-in'

const STORED = 'sendout.session'

interface Known {
  key: string
  me: Me
  workflows: string
}

interface Session {
  api: Api
  me: Me
  /** Whether the key may change campaigns and pull levers, not only look. */
  canOperate: boolean
  canSend: boolean
  /** The Temporal Web UI's address of runs, up to the run's name. */
  workflows: string
  signOut: () => void
}

const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('used outside of a session')
  return session
}

export function SignedIn({ children }: { children: ReactNode }) {
  const [known, setKnown] = useState<Known | null>(stored)
  const [why, setWhy] = useState<string | null>(null)
  const leave = useCallback((said: string | null) => {
    sessionStorage.removeItem(STORED)
    setKnown(null)
    setWhy(said)
  }, [])
  const signIn = useCallback(async (key: string) => {
    const [me, workflows] = await Promise.all([whoIs(key), temporalAddress(key)])
    sessionStorage.setItem(STORED, JSON.stringify({ key, me, workflows }))
    setKnown({ key, me, workflows })
  }, [])
  const session = useMemo(
    () =>
      known && {
        api: new Api(known.key, known.me.businessId, () =>
          leave('The server no longer takes your key: it was revoked. Sign in with another one.'),
        ),
        me: known.me,
        canOperate: known.me.scopes.includes('operate'),
        canSend: known.me.scopes.includes('send'),
        workflows: known.workflows,
        signOut: () => leave(null),
      },
    [known, leave],
  )
  if (!session) return <SignInPage signIn={signIn} why={why} />
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>
}

function stored(): Known | null {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? 'null') as Known | null
  } catch {
    return null
  }
}
