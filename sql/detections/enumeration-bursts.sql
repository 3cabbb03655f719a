-- title: Enumeration bursts
-- question: Who listed many kinds of things in CodeBuild within a short time, as one who looks around does?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: minutes integer [10] Length of the window (1 to 1440)
-- parameter: operations integer [6] Different reading operations in a window that make a burst (1 to 1000)
-- parameter: console boolean [false] Also calls of the console, whose pages read many things at once
-- severity: medium
-- attack: T1526
-- response: Ask whose session it was, and look at what else it read or changed that day
-- benign: Inventory and posture tools (Prowler, Steampipe, Config), which list everything on a schedule
-- Different operations count, not calls: a script that polls one build makes thousands of calls. Refused calls
-- count, too. Windows slide, and those that overlap are one burst.
-- Not seen: who waits longer between calls or uses another address or principal for each, who names the
-- client as a browser (see the parameter console), and calls without a readable time.
WITH made AS (
  SELECT principal, source_ip_address, event_name, event_time
  FROM calls
  WHERE event_source = 'codebuild.amazonaws.com'
    AND operation_access = 'read'
    AND (
      event_name LIKE 'List%'
      OR event_name LIKE 'BatchGet%'
      OR event_name LIKE 'Describe%'
      OR event_name LIKE 'Get%'
    )
    AND by_aws_service IS NOT TRUE
    AND ($console OR (client IS DISTINCT FROM 'console'))
    AND event_time IS NOT NULL
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND ($region IS NULL OR region = $region)
),
bins AS (
  -- By cut windows first: of each operation the earliest and the latest time in one is enough to tell how many
  -- operations any sliding window holds.
  SELECT
    principal,
    source_ip_address,
    event_name AS thing,
    date_part('epoch', min(event_time)) AS first_at,
    date_part('epoch', max(event_time)) AS last_at
  FROM made
  GROUP BY
    principal, source_ip_address, event_name, floor(date_part('epoch', event_time) / ($minutes * 60))
),
times AS (
  SELECT DISTINCT principal, source_ip_address, thing, unnest([first_at, last_at]) AS used_at
  FROM bins
),
uses AS (
  -- A window that ends at some time holds a thing from its use on, until the window is past it.
  SELECT
    principal,
    source_ip_address,
    used_at AS since_at,
    least(
      used_at + $minutes * 60,
      lead(used_at) OVER (PARTITION BY principal, source_ip_address, thing ORDER BY used_at)
    ) AS until_at
  FROM times
),
steps AS (
  SELECT
    principal,
    source_ip_address,
    unnest([since_at, until_at]) AS changes_at,
    unnest([1, -1]) AS change
  FROM uses
),
counts AS (
  SELECT principal, source_ip_address, changes_at, sum(change) AS change
  FROM steps
  GROUP BY principal, source_ip_address, changes_at
),
held AS (
  SELECT
    principal,
    source_ip_address,
    changes_at,
    sum(change) OVER (PARTITION BY principal, source_ip_address ORDER BY changes_at) AS things,
    lead(changes_at) OVER (PARTITION BY principal, source_ip_address ORDER BY changes_at) AS next_at
  FROM counts
),
full_windows AS (
  -- What windows with enough of them reach over. Those that overlap are one burst.
  SELECT
    principal,
    source_ip_address,
    changes_at - $minutes * 60 AS after_at,
    next_at AS before_at,
    max(next_at) OVER (
      PARTITION BY principal, source_ip_address ORDER BY changes_at
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reached_at
  FROM held
  WHERE things >= $operations
),
numbered AS (
  SELECT
    principal,
    source_ip_address,
    after_at,
    before_at,
    sum(CASE WHEN reached_at > after_at THEN 0 ELSE 1 END) OVER (
      PARTITION BY principal, source_ip_address ORDER BY after_at
    ) AS burst
  FROM full_windows
),
bursts AS (
  SELECT
    principal AS caller,
    source_ip_address AS address,
    burst,
    min(after_at) AS after_at,
    max(before_at) AS before_at
  FROM numbered
  GROUP BY principal, source_ip_address, burst
)
SELECT
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  principal,
  source_ip_address,
  count(*) AS requests,
  count(DISTINCT event_name) AS operations,
  count(*) FILTER (WHERE NOT succeeded) AS failed,
  count(DISTINCT region) AS regions,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS names,
  nullif(array_to_string(array_sort(array_agg(DISTINCT client)), ', '), '') AS clients
FROM bursts
JOIN calls_once
  ON (calls_once.principal IS NOT DISTINCT FROM bursts.caller)
  AND (calls_once.source_ip_address IS NOT DISTINCT FROM bursts.address)
  AND date_part('epoch', calls_once.event_time) > bursts.after_at
  AND date_part('epoch', calls_once.event_time) < bursts.before_at
WHERE event_source = 'codebuild.amazonaws.com'
  AND operation_access = 'read'
  AND (
    event_name LIKE 'List%'
    OR event_name LIKE 'BatchGet%'
    OR event_name LIKE 'Describe%'
    OR event_name LIKE 'Get%'
  )
  AND by_aws_service IS NOT TRUE
  AND ($console OR (client IS DISTINCT FROM 'console'))
  AND event_time IS NOT NULL
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY principal, source_ip_address, burst
ORDER BY first_seen, principal NULLS LAST, source_ip_address NULLS LAST
