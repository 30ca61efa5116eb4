#!/bin/sh
# Makes the roles of the service whose database this is. The image of PostgreSQL runs it once, when it makes the data.
# For data that was made before, or for new passwords: docker compose exec order-db sh /docker-entrypoint-initdb.d/roles.sh
# The name of the database is that of the service. The passwords are read by psql, so that they are no arguments.
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL' >/dev/null
\getenv service_password SERVICE_PASSWORD
\getenv migrator_password MIGRATOR_PASSWORD
-- A statement that fails is written into the log of the server.
set log_min_error_statement = panic;
select set_config('shop.service', current_database() || '_service', false),
       set_config('shop.migrator', current_database() || '_migrator', false),
       set_config('shop.service_password', :'service_password', false),
       set_config('shop.migrator_password', :'migrator_password', false);
\ir /etc/shop/roles.sql
-- The administrator comes in over the socket of this container only.
select format('alter role %I password null', current_user) \gexec
SQL
