-- title: Bursts of denied calls
-- question: Who was refused many different actions within a short time?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: minutes integer [15] Length of the window (1 to 1440)
-- parameter: actions integer [4] Different refused actions in a window that make a burst (1 to 1000)
-- severity: medium
-- attack: T1526
-- response: Ask whose session it was; if nobody's, disable the key or revoke the role's sessions
-- benign: A new role or pipeline whose permissions are not complete yet, or a tool that lists everything
-- A missing permission is refused again and again for the same action; who probes is refused for many.
-- Refusals by other services count where the dataset has them. Windows slide, and those that overlap are one burst.
-- Not seen: who waits longer between calls, uses another address or principal for each, or
-- tries one action on many resources; calls without a readable time.
WITH made AS (
  SELECT principal, source_ip_address, denied_action, event_time
  FROM denied_calls
  WHERE event_time IS NOT NULL
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND ($region IS NULL OR region = $region)
),
bins AS (
  -- By cut windows first: of each action the earliest and the latest time in one is enough to tell how many
  -- actions any sliding window holds.
  SELECT
    principal,
    source_ip_address,
    denied_action AS thing,
    date_part('epoch', min(event_time)) AS first_at,
    date_part('epoch', max(event_time)) AS last_at
  FROM made
  GROUP BY
    principal, source_ip_address, denied_action, floor(date_part('epoch', event_time) / ($minutes * 60))
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
  WHERE things >= $actions
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
  count(*) AS refusals,
  count(DISTINCT denied_action) AS actions,
  nullif(array_to_string(array_sort(array_agg(DISTINCT denied_action)), ', '), '') AS denied_actions,
  nullif(array_to_string(array_sort(array_agg(DISTINCT client)), ', '), '') AS clients
FROM bursts
JOIN denied_calls
  ON (denied_calls.principal IS NOT DISTINCT FROM bursts.caller)
  AND (denied_calls.source_ip_address IS NOT DISTINCT FROM bursts.address)
  AND date_part('epoch', denied_calls.event_time) > bursts.after_at
  AND date_part('epoch', denied_calls.event_time) < bursts.before_at
WHERE event_time IS NOT NULL
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY principal, source_ip_address, burst
ORDER BY first_seen, principal NULLS LAST, source_ip_address NULLS LAST
