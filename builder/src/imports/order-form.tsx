import { type FormEvent, useCallback, useState } from 'react'
import type { Campaign, Channel, Page } from '../api/types'
import { useSession } from '../session'
import { Field, SelectField } from '../ui/field'
import { Notice } from '../ui/notice'
import { useLoaded } from '../ui/use-loaded'
import type { Order } from './imported'

/** Which file is to be sent as what. */
export function OrderForm({
  campaigns,
  campaignName,
  busy,
  check,
}: {
  campaigns: Campaign[]
  /** What is asked for; it may not be published. */
  campaignName: string | null
  busy: boolean
  check: (order: Order) => void
}) {
  const names = campaigns.map((campaign) => campaign.campaignName)
  const known = campaignName !== null && names.includes(campaignName)
  const [file, setFile] = useState<File | null>(null)
  const [order, setOrder] = useState<Omit<Order, 'file'>>({
    campaignName: known ? campaignName : (names[0] ?? ''),
    label: '',
    sender: '',
    startsAt: '',
    again: false,
  })
  const put = (changed: Partial<Order>) => setOrder({ ...order, ...changed })

  function submit(event: FormEvent) {
    event.preventDefault()
    if (file) check({ ...order, file })
  }

  if (names.length === 0) {
    return <p className="empty">No campaign is published. Publish one first.</p>
  }
  return (
    <form onSubmit={submit} className="sheet import-form">
      {campaignName !== null && !known && (
        <Notice kind="warning">{campaignName} is not published, so it cannot be sent.</Notice>
      )}
      <SelectField
        label="Campaign"
        value={order.campaignName}
        options={names.map((name) => [name, name] as const)}
        onChange={(name) => put({ campaignName: name })}
      />
      <Field
        label="CSV file"
        hint="With a header; separated by commas, semicolons or tabs; from any spreadsheet."
      >
        {(field) => (
          <input
            {...field}
            type="file"
            accept=".csv,.txt,.tsv,text/csv"
            required
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        )}
      </Field>
      <Field label="Label of the sendout (optional)">
        {(field) => (
          <input
            {...field}
            type="text"
            maxLength={200}
            value={order.label}
            onChange={(event) => put({ label: event.target.value })}
          />
        )}
      </Field>
      <SenderField value={order.sender} change={(sender) => put({ sender })} />
      <Field label="Start (optional)" hint="In your own time zone; at once if left empty.">
        {(field) => (
          <input
            {...field}
            type="datetime-local"
            value={order.startsAt}
            onChange={(event) => put({ startsAt: event.target.value })}
          />
        )}
      </Field>
      <label className="check">
        <input
          type="checkbox"
          checked={order.again}
          onChange={(event) => put({ again: event.target.checked })}
        />
        Also to customers who got this campaign before
      </label>
      <div className="row">
        <button type="submit" disabled={busy || !file}>
          {busy ? 'Checking …' : 'Check the file'}
        </button>
        <span className="soft">Nothing is sent yet.</span>
      </div>
    </form>
  )
}

/** Asked for only where there is a choice. */
function SenderField({ value, change }: { value: string; change: (sender: string) => void }) {
  const { api } = useSession()
  const read = useCallback(
    async () => (await api.call<Page<Channel>>('channels?limit=500')).data,
    [api],
  )
  const { value: channels } = useLoaded(read)
  if (!channels || channels.length < 2) return null
  const others = channels.map(({ phoneNumber }) => [phoneNumber, phoneNumber] as const)
  return (
    <SelectField
      label="From"
      value={value}
      options={[['', 'the default channel'], ...others]}
      onChange={change}
    />
  )
}
