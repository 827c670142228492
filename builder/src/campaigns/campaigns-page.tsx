import { useCallback, useState } from 'react'
import type { Campaign, Page, Sendout } from '../api/types'
import { to } from '../routes'
import { useSession } from '../session'
import { downloadJson, fileName } from '../ui/download'
import { FileButton } from '../ui/file-button'
import { ListTable } from '../ui/list-table'
import { Notice } from '../ui/notice'
import { Reading } from '../ui/reading'
import { Tag } from '../ui/tag'
import { Time } from '../ui/time'
import { useAction } from '../ui/use-action'
import { useLoaded } from '../ui/use-loaded'
import { Version } from '../ui/version'
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
  const { run, said } = useAction()

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

  function change(campaign: Campaign, what: 'archive' | 'restore') {
    const path = `campaigns/${campaign.campaignId}`
    return run(async () => {
      await (what === 'archive'
        ? api.call(path, { method: 'DELETE' })
        : api.call(`${path}/restore`, { method: 'POST' }))
      await list.reload()
    })
  }

  function take(file: File) {
    return run(async () => {
      const flow = parsed(await file.text())
      if (flow === null) throw new Error(`${file.name} is not JSON, so it cannot be a flow.`)
      setAsked({ what: 'import', name: file.name.replace(/\.json$/i, ''), flow })
    })
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
            <FileButton
              label="Import"
              about="Flow to import"
              accept=".json,application/json"
              take={(file) => void take(file)}
            />
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
      {said && <Notice kind="error">{said}</Notice>}
      <Reading of={list} />
      {list.value && listed.length === 0 && (
        <p className="empty">
          {campaigns.length === 0
            ? 'No campaigns yet. Make one, or import a flow from a file.'
            : 'All campaigns are archived.'}
        </p>
      )}
      {listed.length > 0 && (
        <ListTable
          columns={['Name', 'State', 'Newest version', 'Last sendout', { unseen: 'Actions' }]}
        >
          {listed.map((campaign) => (
            <CampaignRow
              key={campaign.campaignId}
              campaign={campaign}
              sendout={list.value?.sendouts.get(campaign.campaignId)}
              ask={canOperate ? setAsked : null}
              change={change}
            />
          ))}
        </ListTable>
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
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
        <Tag state={state} />
      </td>
      <td data-label="Newest version" className="version">
        {campaign.campaignVersion === null ? '–' : <Version of={campaign.campaignVersion} />}
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
