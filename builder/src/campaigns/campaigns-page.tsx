import { type ChangeEvent, useCallback, useRef, useState } from 'react'
import type { Campaign, Page, Sendout } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { downloadJson, fileName } from '../ui/download'
import { Notice } from '../ui/notice'
import { Time } from '../ui/time'
import { useLoaded } from '../ui/use-loaded'
import { allCampaigns } from './all-campaigns'
import { type Asked, CampaignDialog } from './campaign-dialog'

interface Listed {
  campaigns: Campaign[]
  /** Each campaign's newest sendout. */
  sendouts: Map<string, Sendout>
}

export function CampaignsPage() {
  const { api, canOperate } = useSession()
  const [asked, setAsked] = useState<Asked | null>(null)
  const [archived, setArchived] = useState(false)
  const [said, setSaid] = useState<string | null>(null)
  const file = useRef<HTMLInputElement>(null)

  const list = useLoaded(
    useCallback(async (): Promise<Listed> => {
      const [campaigns, newest] = await Promise.all([
        allCampaigns(api),
        api.call<Page<Sendout>>('sendouts?limit=200'),
      ])
      const sendouts = new Map<string, Sendout>()
      for (const sendout of newest.data.toReversed()) sendouts.set(sendout.campaignId, sendout)
      // Whose last one is not among the newest of all is asked for by itself.
      const others = newest.nextCursor
        ? campaigns.filter((one) => !sendouts.has(one.campaignId))
        : []
      await Promise.all(
        others.map(async ({ campaignId }) => {
          const path = `sendouts?limit=1&campaignId=${campaignId}`
          const [last] = (await api.call<Page<Sendout>>(path)).data
          if (last) sendouts.set(campaignId, last)
        }),
      )
      return { campaigns, sendouts }
    }, [api]),
  )

  async function change(campaign: Campaign, what: 'archive' | 'restore') {
    const path = `campaigns/${campaign.campaignId}`
    try {
      await (what === 'archive'
        ? api.call(path, { method: 'DELETE' })
        : api.call(`${path}/restore`, { method: 'POST' }))
      setSaid(null)
      await list.reload()
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error))
    }
  }

  async function chosen(event: ChangeEvent<HTMLInputElement>) {
    const [chosen] = event.target.files ?? []
    event.target.value = ''
    if (!chosen) return
    try {
      const flow: unknown = JSON.parse(await chosen.text())
      setSaid(null)
      setAsked({ what: 'import', name: chosen.name.replace(/\.json$/i, ''), flow })
    } catch {
      setSaid(`${chosen.name} is not JSON, so it cannot be a flow.`)
    }
  }

  const campaigns = list.value?.campaigns ?? []
  const listed = campaigns.filter((one) => archived || one.state !== 'archived')

  return (
    <>
      <div className="row heading">
        <h1>Campaigns</h1>
        <label className="check">
          <input
            type="checkbox"
            checked={archived}
            onChange={(event) => setArchived(event.target.checked)}
          />
          Show archived
        </label>
        {canOperate && (
          <>
            <input
              ref={file}
              type="file"
              accept=".json,application/json"
              hidden
              aria-label="Flow to import"
              onChange={chosen}
            />
            <button type="button" onClick={() => file.current?.click()}>
              Import
            </button>
            <button
              type="button"
              className="primary"
              onClick={() => setAsked({ what: 'create', name: '', flow: null })}
            >
              New campaign
            </button>
          </>
        )}
      </div>
      {(said ?? list.said) && <Notice kind="error">{said ?? list.said}</Notice>}
      {list.value && listed.length === 0 && (
        <p className="empty">No campaigns yet. Make one, or import a flow from a file.</p>
      )}
      {listed.length > 0 && (
        <div className="table-frame">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">State</th>
                <th scope="col">Newest version</th>
                <th scope="col">Last sendout</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {listed.map((campaign) => (
                <CampaignRow
                  key={campaign.campaignId}
                  campaign={campaign}
                  sendout={list.value?.sendouts.get(campaign.campaignId)}
                  ask={canOperate ? setAsked : null}
                  change={change}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {asked && (
        <CampaignDialog
          asked={asked}
          close={() => setAsked(null)}
          done={async (made) => {
            if (asked.what === 'rename') await list.reload()
            else location.hash = to.campaign(made.entity.campaignId)
          }}
        />
      )}
    </>
  )
}

function CampaignRow({
  campaign,
  sendout,
  ask,
  change,
}: {
  campaign: Campaign
  sendout: Sendout | undefined
  /** Null with a key that may only look. */
  ask: ((asked: Asked) => void) | null
  change: (campaign: Campaign, what: 'archive' | 'restore') => Promise<void>
}) {
  const { campaignId, campaignName: name, state, draft } = campaign
  return (
    <tr>
      <th scope="row">
        <a href={to.campaign(campaignId)}>{name}</a>
      </th>
      <td data-label="State">
        <span className={`tag ${state}`}>{state}</span>
      </td>
      <td data-label="Newest version" className="version" title={campaign.campaignVersion ?? ''}>
        {campaign.campaignVersion ?? '–'}
      </td>
      <td data-label="Last sendout">
        {sendout ? (
          <a href={to.sendout(sendout.sendoutId)}>
            <Time at={sendout.createdAt} />
          </a>
        ) : (
          '–'
        )}
      </td>
      <td className="actions">
        {ask && (
          <>
            <button
              type="button"
              className="quiet"
              aria-label={`Rename ${name}`}
              onClick={() => ask({ what: 'rename', name, campaignId })}
            >
              Rename
            </button>
            <button
              type="button"
              className="quiet"
              aria-label={`Duplicate ${name}`}
              onClick={() => ask({ what: 'duplicate', name: `${name} copy`, flow: draft.flow })}
            >
              Duplicate
            </button>
          </>
        )}
        <button
          type="button"
          className="quiet"
          aria-label={`Export ${name}`}
          disabled={draft.flow === null}
          onClick={() => downloadJson(`${fileName(name)}.json`, draft.flow)}
        >
          Export
        </button>
        {ask && (
          <button
            type="button"
            className="quiet"
            aria-label={`${state === 'archived' ? 'Restore' : 'Archive'} ${name}`}
            onClick={() => void change(campaign, state === 'archived' ? 'restore' : 'archive')}
          >
            {state === 'archived' ? 'Restore' : 'Archive'}
          </button>
        )}
      </td>
    </tr>
  )
}
