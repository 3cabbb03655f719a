-- title: Webhook filter groups
-- question: Which events does each group of a webhook's filters let through, and from whom?
-- uses: webhooks, webhook_filters
-- One row a group of each state; a webhook without filters has one group, number 0, that lets everything
-- through. A group lets an event through where all its EVENT filters do: one that excludes lets all but its
-- names through. `pull_requests`: events that anybody can cause who can open a pull request; a merge needs a
-- maintainer. `actors_limited`: a filter names the actors; one that excludes some, or that lets everybody in,
-- does not. `event_bits` has a bit for each event, the last one for names that are not known here.
-- A branchFilter is about pushes. Not seen: a filter whose pattern cannot match, which closes its group.
WITH known AS (
  SELECT
    state,
    group_number,
    coalesce(bit_and(event_bits), 1023) AS event_bits,
    coalesce(bool_or(filter_type = 'ACTOR_ACCOUNT_ID' AND NOT excludes AND NOT matches_all), false)
      AS actors_limited,
    count(*) AS filters
  FROM webhook_filters
  GROUP BY state, group_number
),
groups AS (
  SELECT
    webhooks.state,
    webhooks.event_time,
    webhooks.event_id,
    webhooks.account,
    webhooks.region,
    webhooks.project_name,
    webhooks.replaced_at,
    coalesce(known.group_number, 0) AS group_number,
    coalesce(known.event_bits, 1023) AS event_bits,
    coalesce(known.actors_limited, false) AS actors_limited,
    coalesce(known.filters, 0) AS filters
  FROM webhooks
  LEFT JOIN known ON known.state = webhooks.state
  WHERE known.state IS NOT NULL OR webhooks.shows_all AND NOT webhooks.branch_filter_asked
)
SELECT
  event_time,
  event_id,
  account,
  region,
  project_name,
  replaced_at,
  group_number,
  event_bits % 2 = 1 AS pushes,
  event_bits % 32 >= 2 AS pull_requests,
  event_bits % 512 >= 256 AS workflow_jobs,
  actors_limited,
  filters,
  event_bits,
  state
FROM groups
