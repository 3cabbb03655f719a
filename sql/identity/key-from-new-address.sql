-- title: Access keys from new addresses
-- question: Which long-term access keys were used from an address that they had not been used from before?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: baseline integer [1] Days from the first use of a key on in which its addresses are learnt
-- severity: medium
-- attack: T1078.004
-- A key in a build server or a laptop has few addresses. Services that use a key on behalf are left out.
-- What is first is looked up by its time: sorting all calls takes several times as long. The few come first
-- in the join, which keeps them.
WITH first_uses AS (
  SELECT
    access_key_id AS access_key,
    source_ip_address AS address,
    min(event_time) AS address_first_seen,
    min(min(event_time)) OVER (PARTITION BY access_key_id) AS key_first_seen
  FROM calls
  WHERE access_key_id LIKE 'AKIA%'
    AND by_aws_service IS NOT TRUE
    AND event_source = 'codebuild.amazonaws.com'
  GROUP BY access_key_id, source_ip_address
),
seen AS (
  SELECT
    calls.*,
    first_uses.key_first_seen,
    row_number() OVER (
      PARTITION BY calls.access_key_id, calls.source_ip_address ORDER BY calls.event_id
    ) AS nth
  FROM first_uses
  JOIN calls
    ON calls.access_key_id = first_uses.access_key
    AND (calls.source_ip_address IS NOT DISTINCT FROM first_uses.address)
    AND calls.event_time = first_uses.address_first_seen
  WHERE calls.access_key_id LIKE 'AKIA%'
    AND calls.by_aws_service IS NOT TRUE
    AND calls.event_source = 'codebuild.amazonaws.com'
)
SELECT
  event_time,
  access_key_id,
  actor,
  source_ip_address,
  event_name,
  project_name,
  account,
  client,
  succeeded,
  key_first_seen
FROM seen
WHERE nth = 1
  AND date_part('epoch', event_time) >= date_part('epoch', key_first_seen) + $baseline * 86400
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id
