import { useState } from 'react'
import type { Campaign, Entity } from '../api/types'
import { useSession } from '../session'
import { Dialog } from '../ui/dialog'
import { Field } from '../ui/field'

/** What a name is asked for. */
export type Asked =
  | { what: 'create' | 'duplicate' | 'import'; name: string; flow: unknown }
  | { what: 'rename'; name: string; campaignId: string }

const TITLES = {
  create: 'New campaign',
  duplicate: 'Duplicate campaign',
  import: 'Import flow',
  rename: 'Rename campaign',
}
const ACTIONS = { create: 'Create', duplicate: 'Duplicate', import: 'Import', rename: 'Rename' }

export function CampaignDialog({
  asked,
  close,
  done,
}: {
  asked: Asked
  close: () => void
  done: (made: Entity<Campaign>) => Promise<void>
}) {
  const { api } = useSession()
  const [name, setName] = useState(asked.name)

  async function submit() {
    const made =
      asked.what === 'rename'
        ? await api.call<Entity<Campaign>>(`campaigns/${asked.campaignId}`, {
            method: 'PATCH',
            body: { name },
          })
        : await api.call<Entity<Campaign>>('campaigns', {
            method: 'POST',
            body: { name, flow: asked.flow },
          })
    await done(made)
  }

  return (
    <Dialog
      title={TITLES[asked.what]}
      action={ACTIONS[asked.what]}
      disabled={!name.trim()}
      submit={submit}
      close={close}
    >
      <Field
        label="Name"
        hint={
          asked.what === 'rename'
            ? 'Names it was published under go on leading to it.'
            : 'Requests name the campaign by it: campaignName.'
        }
      >
        {(field) => (
          <input
            {...field}
            type="text"
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  )
}
