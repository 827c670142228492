#!/bin/sh
# Creates the namespace with its retention and search attributes. Safe to repeat.
# TEMPORAL_ADDRESS is read by the `temporal` command itself; TEMPORAL_NAMESPACE not by all of them.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"

attempt=0
until temporal operator cluster health; do
    attempt=$((attempt + 1))
    if [ "$attempt" -ge 30 ]; then
        echo "no healthy Temporal server at $TEMPORAL_ADDRESS" >&2
        exit 1
    fi
    sleep 2
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# A new namespace takes some seconds to be known everywhere.
attempt=0
until known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"); do
    attempt=$((attempt + 1))
    if [ "$attempt" -ge 30 ]; then
        echo "namespace $TEMPORAL_NAMESPACE does not become usable" >&2
        exit 1
    fi
    sleep 2
done

for name in BusinessId CampaignName CampaignVersion SendoutId; do
    if echo "$known" | grep -qw "$name"; then
        continue
    fi
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
