/** Addresses within the page, after the `#`. */
import { useSyncExternalStore } from 'react'

export type Route =
  | { page: 'campaigns' }
  | { page: 'campaign'; campaignId: string }
  | { page: 'sendouts'; campaignId: string | null }
  | { page: 'sendout'; sendoutId: string }
  | { page: 'entry'; sendoutId: string; entryId: string }

export const to = {
  campaigns: '#/campaigns',
  campaign: (campaignId: string) => `#/campaigns/${campaignId}`,
  sendouts: '#/sendouts',
  sendoutsOf: (campaignId: string) => `#/sendouts?campaign=${campaignId}`,
  sendout: (sendoutId: string) => `#/sendouts/${sendoutId}`,
  entry: (sendoutId: string, entryId: string) => `#/sendouts/${sendoutId}/entries/${entryId}`,
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [section, id, , entryId] = path.split('/')
  if (section === 'sendouts') {
    if (id && entryId) return { page: 'entry', sendoutId: id, entryId }
    if (id) return { page: 'sendout', sendoutId: id }
    return { page: 'sendouts', campaignId: new URLSearchParams(query).get('campaign') }
  }
  return section === 'campaigns' && id
    ? { page: 'campaign', campaignId: id }
    : { page: 'campaigns' }
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
