#!/bin/sh
# Creates Temporal's two databases and brings them to this version's schema. Safe to repeat.
set -eu

export SQL_PASSWORD="$POSTGRES_PWD"
schema=/etc/temporal/schema/postgresql/v12

sql_tool() {
    database=$1
    shift
    temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" \
        -u "$POSTGRES_USER" --db "$database" "$@"
}

prepare() {
    sql_tool "$1" create
    # Only makes the version table; a newer schema stays as it is.
    sql_tool "$1" setup-schema -v 0.0
    sql_tool "$1" update-schema -d "$schema/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
