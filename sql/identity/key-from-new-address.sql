-- title: Access keys from new addresses
-- question: Which long-term access keys were used from an address that they had not been used from before?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: baseline integer [1] Days from the first use of a key on in which its addresses are learnt (0 to 3650)
-- severity: medium
-- attack: T1078.004
-- response: Ask the user for the address; if unknown, disable the key and look at all that it did since
-- benign: A laptop that travels, an internet provider or IPv6 host that changes addresses, a new build server
-- A key in a build server or a laptop has few addresses. What comes by a VPC endpoint is of one place, whatever its
-- private address. Services that use a key on behalf, and services' names in place of an address, are left out.
-- Not seen: who uses the key behind a known gateway or VPC endpoint, in the days of learning, or by way of
-- temporary credentials; other services than CodeBuild; calls without a readable time.
-- What is first is looked up by its time: sorting all calls takes several times as long. The few come first
-- in the join, which keeps them.
WITH first_uses AS (
  SELECT
    access_key_id AS access_key,
    place AS first_place,
    min(event_time) AS place_first_seen,
    min(min(event_time)) OVER (PARTITION BY access_key_id) AS key_first_seen
  FROM calls
  WHERE access_key_id LIKE 'AKIA%'
    AND by_aws_service IS NOT TRUE
    AND network <> 'aws'
    AND event_source = 'codebuild.amazonaws.com'
  GROUP BY access_key_id, place
),
seen AS (
  -- Of several in a second, or of two accounts, the one that is asked for counts.
  SELECT
    calls.*,
    first_uses.key_first_seen,
    row_number() OVER (
      PARTITION BY calls.access_key_id, calls.place
      ORDER BY
        CASE WHEN calls.account = $account THEN 0 ELSE 1 END,
        CASE WHEN calls.region = $region THEN 0 ELSE 1 END,
        CASE WHEN calls.actor = $actor THEN 0 ELSE 1 END,
        calls.event_id NULLS LAST
    ) AS nth
  FROM first_uses
  JOIN calls
    ON calls.access_key_id = first_uses.access_key
    AND calls.place = first_uses.first_place
    AND calls.event_time = first_uses.place_first_seen
  WHERE calls.access_key_id LIKE 'AKIA%'
    AND calls.by_aws_service IS NOT TRUE
    AND calls.network <> 'aws'
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
  AND date_part('epoch', event_time) > date_part('epoch', key_first_seen)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time, event_id NULLS LAST
