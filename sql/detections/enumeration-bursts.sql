-- title: Enumeration bursts
-- question: Who listed many kinds of things in CodeBuild within a short time, as one who looks around does?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: minutes integer [10] Length of the windows that time is cut into
-- parameter: operations integer [6] Different reading operations in a window that make a burst
-- parameter: console boolean [false] Also calls of the console, whose pages read many things at once
-- severity: medium
-- attack: T1526
-- Different operations count, not calls: a script that polls one build makes thousands of calls. Windows do
-- not overlap, so a burst over a border counts as two. Counted by window and operation first:
-- what is asked of a window is asked of few rows then.
WITH operations_of_windows AS (
  SELECT
    principal,
    source_ip_address,
    floor(date_part('epoch', event_time) / ($minutes * 60)) AS time_window,
    event_name,
    region,
    client,
    count(*) AS requests,
    count(*) FILTER (WHERE NOT succeeded) AS failed,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
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
    AND ($console OR client IS DISTINCT FROM 'console')
    AND event_time IS NOT NULL
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
  GROUP BY
    principal,
    source_ip_address,
    floor(date_part('epoch', event_time) / ($minutes * 60)),
    event_name,
    region,
    client
)
SELECT
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  principal,
  source_ip_address,
  sum(requests) AS requests,
  count(DISTINCT event_name) AS operations,
  sum(failed) AS failed,
  count(DISTINCT region) AS regions,
  nullif(array_to_string(array_sort(array_distinct(array_agg(event_name))), ', '), '') AS names,
  nullif(array_to_string(array_sort(array_distinct(array_agg(client))), ', '), '') AS clients
FROM operations_of_windows
GROUP BY principal, source_ip_address, time_window
HAVING count(DISTINCT event_name) >= $operations
ORDER BY first_seen, principal, source_ip_address
