import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '../api/client'
import type { Campaign, Entity, Import } from '../api/types'
import { allCampaigns } from '../campaigns/all-campaigns'
import { to } from '../routes'
import { useSession } from '../session'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { useAction } from '../ui/use-action'
import { useLoaded } from '../ui/use-loaded'
import { Checked } from './checked'
import { Columns } from './columns'
import { type Column, type Order, queryOf } from './imported'
import { OrderForm } from './order-form'

/** Start a sendout from a CSV: choose, look at what was found, confirm. */
export function ImportPage({
  campaignName,
  importId,
}: {
  campaignName: string | null
  importId: string | null
}) {
  const { api, canSend } = useSession()
  const campaigns = useLoaded(
    useCallback(async () => (await allCampaigns(api)).filter(isLive), [api]),
  )
  const [order, setOrder] = useState<Order | null>(null)
  const [found, setFound] = useState<Import | null>(null)
  const [columns, setColumns] = useState<Column[]>([])
  const { run, said, busy } = useAction()
  const campaign = campaigns.value?.find(
    (one) => one.campaignName === (order?.campaignName ?? found?.campaignName),
  )

  // An address that was kept, of a file that was checked before, or none any more.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another address counts
  useEffect(() => {
    if (importId === null) {
      setFound(null)
      setColumns([])
    } else if (found?.importId !== importId) {
      void run(async () => {
        const { entity } = await api.call<Entity<Import>>(`imports/${importId}`)
        setFound(entity)
        setColumns(entity.columns)
      })
    }
  }, [importId])

  function check(given: Order, mapping: Column[] | null) {
    setOrder(given)
    setFound(null)
    if (mapping) setColumns(mapping)
    return run(async () => {
      try {
        const path = `imports?${queryOf(given, mapping)}`
        const { entity } = await api.call<Entity<Import>>(path, {
          method: 'POST',
          body: given.file,
        })
        setFound(entity)
        setColumns(entity.columns)
        location.hash = to.import(entity.importId, campaignName ?? given.campaignName)
      } catch (error) {
        if (!mapping) setColumns(columnsOf(error))
        throw error
      }
    })
  }

  function start(checked: Import) {
    return run(async () => {
      const path = `imports/${checked.importId}/start`
      const { entity } = await api.call<Entity<Import>>(path, { method: 'POST' })
      if (entity.sendoutId) location.hash = to.sendout(entity.sendoutId)
    })
  }

  if (!canSend) return <Notice kind="error">This key may not send.</Notice>
  const place = found ?? (campaign?.campaignVersion ? campaign : null)
  return (
    <>
      <h1>Send from a CSV</h1>
      <Reading of={campaigns} />
      {campaigns.value && (
        <OrderForm
          key={campaignName}
          campaigns={campaigns.value}
          campaignName={campaignName}
          busy={busy}
          check={(given) => void check(given, null)}
        />
      )}
      {said && <Notice kind="error">{said}</Notice>}
      {columns.length > 0 && place && (
        <Columns
          columns={columns}
          campaignId={place.campaignId}
          campaignVersion={place.campaignVersion ?? ''}
          change={order && !busy ? (changed) => void check(order, changed) : null}
        />
      )}
      {found && <Checked found={found} />}
      {found && <Confirm found={found} busy={busy} start={() => void start(found)} />}
    </>
  )
}

function isLive(campaign: Campaign): boolean {
  return campaign.state === 'published'
}

/** The columns of a file that could not be matched, as the refusal names them. */
function columnsOf(error: unknown): Column[] {
  const names = error instanceof ApiError ? error.details.columns : null
  return Array.isArray(names) ? names.map((name) => ({ name: String(name), target: null })) : []
}

function Confirm({ found, busy, start }: { found: Import; busy: boolean; start: () => void }) {
  if (found.sendoutId) {
    return (
      <Notice>
        It was started: <a href={to.sendout(found.sendoutId)}>its sendout</a>.
      </Notice>
    )
  }
  const { toSend } = found
  return (
    <div className="row">
      <button
        type="button"
        className="primary"
        disabled={busy || found.valid === 0}
        onClick={start}
      >
        Send to {toSend.toLocaleString()} {toSend === 1 ? 'customer' : 'customers'}
      </button>
      <span className="soft">It becomes a sendout of its own.</span>
    </div>
  )
}
