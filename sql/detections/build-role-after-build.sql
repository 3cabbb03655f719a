-- title: Build credentials used after the build
-- question: Which credentials of a build were used after it had ended, or later than it can have run?
-- needs: build-activity
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: grace integer [15] Minutes after the end in which a build may still write its logs (0 to 10080)
-- severity: high
-- attack: T1078.004
-- response: Revoke the role's sessions, and look at all that the access key did and from where
-- benign: A report or log that a build's last step uploads slowly; give more minutes of grace
-- A build has ended at the end that an answer to StopBuild gives, when it was stopped, or when it was deleted.
-- CloudTrail tells no other end, so else its timeouts count from its start; without them the longest that
-- AWS allows: 8 hours queued and 36 running.
-- Not seen: credentials used within these limits by somebody else (the query on addresses may see it), calls
-- without a readable time, and builds whose UUID is known from no call of theirs.
WITH ends AS (
  -- Whoever stops a build that has ended is answered with its end.
  SELECT
    build_uuid,
    max(project_name) AS project_name,
    min(least(build_end_time, event_time)) AS ended_at
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name = 'StopBuild'
    AND succeeded
    AND build_uuid IS NOT NULL
  GROUP BY build_uuid
),
activity AS (
  SELECT
    *,
    min(event_time) OVER (PARTITION BY build_uuid) AS first_activity
  FROM build_activity
  WHERE invoked_by IS NULL
),
limits AS (
  SELECT
    activity.build_uuid,
    coalesce(activity.project_name, ends.project_name) AS project_name,
    activity.event_time,
    activity.event_source,
    activity.event_name,
    activity.account,
    activity.region,
    activity.role_arn,
    activity.access_key_id,
    activity.source_ip_address,
    activity.started_at,
    activity.stopped_at,
    activity.copy,
    least(ends.ended_at, activity.deleted_at) AS ended_at,
    least(
      date_part('epoch', ends.ended_at),
      date_part('epoch', activity.deleted_at),
      date_part('epoch', coalesce(activity.started_at, activity.first_activity))
        + 60 * (coalesce(activity.queued_timeout_in_minutes, 480) + coalesce(activity.timeout_in_minutes, 2160))
    ) + 60 * $grace AS latest
  FROM activity
  LEFT JOIN ends ON ends.build_uuid = activity.build_uuid
  WHERE $project IS NULL
    OR activity.project_name = $project
    OR activity.project_name IS NULL AND ends.project_name = $project
)
SELECT
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  build_uuid,
  project_name,
  started_at,
  stopped_at,
  role_arn,
  access_key_id,
  source_ip_address,
  count(*) AS requests,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_source)), ', '), '') AS services,
  nullif(array_to_string(array_sort(array_agg(DISTINCT event_name)), ', '), '') AS operations,
  account,
  ended_at
FROM limits
WHERE date_part('epoch', event_time) > latest
  AND (copy = 1 OR $account IS NOT NULL)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
GROUP BY
  build_uuid, project_name, started_at, stopped_at, role_arn, access_key_id, source_ip_address, account, ended_at
ORDER BY
  first_seen, build_uuid, access_key_id NULLS LAST, source_ip_address NULLS LAST, account NULLS LAST,
  role_arn NULLS LAST, project_name NULLS LAST
