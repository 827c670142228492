/** Addresses within the page, after the `#`. */
import { useSyncExternalStore } from 'react'

export type Route =
  | { page: 'campaigns' }
  | { page: 'campaign'; campaignId: string }
  | { page: 'sendouts'; campaignId: string | null }
  | { page: 'sendout'; sendoutId: string }
  | { page: 'entry'; sendoutId: string; entryId: string }
  | { page: 'import'; campaignName: string | null; importId: string | null }
  | { page: 'customers'; client: string | null }
  | { page: 'opt-outs' }

export const to = {
  campaigns: '#/campaigns',
  campaign: (campaignId: string) => `#/campaigns/${campaignId}`,
  sendouts: '#/sendouts',
  sendoutsOf: (campaignId: string) => `#/sendouts?campaign=${campaignId}`,
  sendout: (sendoutId: string) => `#/sendouts/${sendoutId}`,
  entry: (sendoutId: string, entryId: string) => `#/sendouts/${sendoutId}/entries/${entryId}`,
  newImport: '#/imports',
  importOf: (campaignName: string) => `#/imports?campaign=${encodeURIComponent(campaignName)}`,
  import: (importId: string, campaignName: string) =>
    `#/imports/${importId}?campaign=${encodeURIComponent(campaignName)}`,
  customers: '#/customers',
  customer: (client: string) => `#/customers/${encodeURIComponent(client)}`,
  optOuts: '#/opt-outs',
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [section, id, , entryId] = path.split('/')
  const campaign = new URLSearchParams(query).get('campaign')
  switch (section) {
    case 'sendouts':
      if (id && entryId) return { page: 'entry', sendoutId: id, entryId }
      return id ? { page: 'sendout', sendoutId: id } : { page: 'sendouts', campaignId: campaign }
    case 'imports':
      return { page: 'import', campaignName: campaign, importId: id || null }
    case 'customers':
      return { page: 'customers', client: id ? readable(id) : null }
    case 'opt-outs':
      return { page: 'opt-outs' }
    default:
      return section === 'campaigns' && id
        ? { page: 'campaign', campaignId: id }
        : { page: 'campaigns' }
  }
}

function readable(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function useHash(): string {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed)
      return () => window.removeEventListener('hashchange', changed)
    },
    () => location.hash,
  )
}
