import { type FormEvent, useState } from 'react'
import { ApiError, wordsOf } from './api/client'
import { Field } from './ui/field'
import { Notice } from './ui/notice'

export function SignInPage({
  signIn,
  why,
}: {
  signIn: (key: string) => Promise<void>
  /** What ended the session before, unless the reader did. */
  why: string | null
}) {
  const [key, setKey] = useState('')
  const [said, setSaid] = useState(why)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    try {
      await signIn(key.trim())
    } catch (error) {
      const unknown = error instanceof ApiError && error.status === 401
      setSaid(unknown ? 'The server does not know this key, or it was revoked.' : wordsOf(error))
      setBusy(false)
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit} className="sheet">
        <h1>
          <img src="./icon.svg" alt="" width="32" height="32" /> Sendout
        </h1>
        <Field label="API key" hint="It stays in this tab and is forgotten when you close it.">
          {(field) => (
            <input
              {...field}
              type="password"
              autoComplete="off"
              required
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        {said && <Notice kind="error">{said}</Notice>}
        <button type="submit" className="primary" disabled={busy || !key.trim()}>
          Sign in
        </button>
      </form>
    </main>
  )
}
