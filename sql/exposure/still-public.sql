-- title: Projects still public
-- question: Which projects are public as far as the log tells, since when, and by whom?
-- parameter: project text [] Only this project
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: medium
-- attack: T1530
-- response: Make the project private unless it is meant to be read by everybody.
-- benign: Open source projects that show their build results.
-- The last change of visibility counts, and `public_since` is when it came to be so, repeated calls aside; a project
-- deleted or created anew is private again. One that was made public before the dataset begins is not seen.
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
ORDER BY public_since NULLS FIRST, project_name, account, region
