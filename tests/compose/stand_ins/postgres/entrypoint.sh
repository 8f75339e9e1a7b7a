# As that of postgres:18: makes the database at the first start, by a server without TCP, then serves.
set -e
data=/var/lib/postgresql/17/docker
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
mkdir -p $data /run/postgresql
chown -R postgres /var/lib/postgresql /run/postgresql
chmod 700 $data
if [ ! -s $data/PG_VERSION ]; then
  install --owner=postgres --mode=600 /dev/null /run/password
  echo "$POSTGRES_PASSWORD" > /run/password
  as initdb -D $data -U "$POSTGRES_USER" --pwfile=/run/password --auth-host=scram-sha-256 --auth-local=trust -E UTF8 --locale=C.UTF-8
  rm /run/password
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  as pg_ctl -D $data -o "-c listen_addresses=''" -w start
  as createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  as pg_ctl -D $data -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D $data -c listen_addresses='*'
