-- title: Projects still public
-- question: Which projects are public as far as the log tells, since when, and by whom?
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1530
-- The last change of visibility counts; a project deleted or created anew is private again.
SELECT
  project_name,
  account,
  region,
  visibility_at AS public_since,
  visibility_by AS made_public_by,
  public_project_alias,
  resource_access_role,
  service_role,
  source_location,
  last_build_at
FROM projects
WHERE project_visibility = 'PUBLIC_READ'
  AND deleted_at IS NULL
  AND ($project IS NULL OR project_name = $project)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY public_since, project_name, account, region
