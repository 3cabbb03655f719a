-- title: Build credentials used after the build
-- question: Which credentials of a build were used after it had been stopped, or later than it can have run?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: grace integer [15] Minutes after the end in which a build may still write its logs
-- severity: high
-- attack: T1078.004
-- needs: build-activity
-- CloudTrail does not tell when a build ends, but when it was stopped, and its timeouts. Without them the
-- longest that AWS allows count: 8 hours queued and 36 running. Needs --keep build-activity or all.
WITH activity AS (
  SELECT
    build_uuid,
    project_name,
    event_time,
    event_source,
    event_name,
    account,
    region,
    role_arn,
    access_key_id,
    source_ip_address,
    user_agent,
    started_at,
    min(event_time) OVER (PARTITION BY build_uuid) AS first_activity
  FROM build_activity
  WHERE invoked_by IS NULL
),
limits AS (
  SELECT
    activity.build_uuid,
    activity.project_name,
    activity.event_time,
    activity.event_source,
    activity.event_name,
    activity.account,
    activity.region,
    activity.role_arn,
    activity.access_key_id,
    activity.source_ip_address,
    activity.user_agent,
    activity.started_at,
    builds.stopped_at,
    least(
      date_part('epoch', builds.stopped_at),
      date_part('epoch', coalesce(activity.started_at, activity.first_activity))
        + 60 * (coalesce(builds.queued_timeout_in_minutes, 480) + coalesce(builds.timeout_in_minutes, 2160))
    ) + 60 * $grace AS latest
  FROM activity
  LEFT JOIN builds ON builds.kind = 'build' AND builds.build_uuid = activity.build_uuid
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
  account
FROM limits
WHERE date_part('epoch', event_time) > latest
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
GROUP BY build_uuid, project_name, started_at, stopped_at, role_arn, access_key_id, source_ip_address, account
ORDER BY first_seen, build_uuid, access_key_id, source_ip_address, account
