-- title: Stale projects
-- question: Which projects have not been used for a long time, measured from the newest event of their region?
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: days integer [90] Days without a build, sandbox or change (1 to 3650)
-- parameter: webhooks boolean [false] Also projects with a webhook
-- A project counts from its last build or sandbox, else its last change. Logs of one account or region may end before
-- those of another, so each has a newest event of its own. A webhook starts builds without a call, so a project
-- that has one is left out: it may be busy. Projects of which the dataset has no call are not seen.
WITH newest AS (
  SELECT recipient_account_id AS account, aws_region AS region, max(event_time) AS newest
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
  GROUP BY recipient_account_id, aws_region
),
hooks AS (
  SELECT DISTINCT account, region, project_name
  FROM webhooks
  WHERE replaced_at IS NULL
)
SELECT
  projects.project_name,
  projects.account,
  projects.region,
  projects.last_build_at,
  projects.settings_at,
  projects.created_at,
  projects.settings_by,
  projects.service_role,
  projects.builds,
  CAST(
    floor(
      (
        date_part('epoch', newest.newest)
        - date_part('epoch', coalesce(projects.last_use_at, projects.settings_at, projects.created_at))
      ) / 86400
    ) AS BIGINT
  ) AS days,
  hooks.project_name IS NOT NULL AS has_webhook
FROM projects
JOIN newest
  ON newest.account = projects.account
  AND newest.region = projects.region
LEFT JOIN hooks
  ON hooks.account = projects.account
  AND hooks.region = projects.region
  AND hooks.project_name = projects.project_name
WHERE projects.deleted_at IS NULL
  AND date_part('epoch', coalesce(projects.last_use_at, projects.settings_at, projects.created_at))
    < date_part('epoch', newest.newest) - $days * 86400
  AND ($webhooks OR hooks.project_name IS NULL)
  AND ($project IS NULL OR projects.project_name = $project)
  AND ($account IS NULL OR projects.account = $account)
  AND ($region IS NULL OR projects.region = $region)
ORDER BY days DESC NULLS LAST, projects.project_name, projects.account, projects.region
