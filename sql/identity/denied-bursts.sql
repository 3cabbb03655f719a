-- title: Bursts of denied calls
-- question: Who was refused many different actions within a short time?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: minutes integer [15] Length of the windows that time is cut into
-- parameter: actions integer [4] Different refused actions in a window that make a burst
-- severity: medium
-- attack: T1526
-- A missing permission is refused again and again for the same action; who probes is refused for many.
-- Refusals by other services count where the dataset has them. Windows do not overlap, so a burst over
-- a border counts as two. Counted by window and action first.
WITH actions_of_windows AS (
  SELECT
    principal,
    source_ip_address,
    floor(date_part('epoch', event_time) / ($minutes * 60)) AS time_window,
    denied_action,
    client,
    count(*) AS refusals,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
  FROM denied_calls
  WHERE event_time IS NOT NULL
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
  GROUP BY
    principal,
    source_ip_address,
    floor(date_part('epoch', event_time) / ($minutes * 60)),
    denied_action,
    client
)
SELECT
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  principal,
  source_ip_address,
  sum(refusals) AS refusals,
  count(DISTINCT denied_action) AS actions,
  nullif(array_to_string(array_sort(array_distinct(array_agg(denied_action))), ', '), '')
    AS denied_actions,
  nullif(array_to_string(array_sort(array_distinct(array_agg(client))), ', '), '') AS clients
FROM actions_of_windows
GROUP BY principal, source_ip_address, time_window
HAVING count(DISTINCT denied_action) >= $actions
ORDER BY first_seen, principal, source_ip_address
