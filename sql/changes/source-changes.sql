-- title: Changes of sources
-- question: Which projects were pointed at another repository, branch or credential, or trust another server, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- severity: medium
-- attack: T1677
-- response: Look who owns the new repository, and what the next builds did.
-- benign: Repositories that are renamed or moved, and releases from another branch.
-- Certificates and TLS checks are here as they say which server is believed. Secondary sources are compared by
-- location, and by their other settings as text in 'secondarySources.settings'.
-- A project that was deleted and created anew is compared with what it was. The first settings of a project
-- are not listed, nor an update of which the dataset shows no value before: --initial true lists them.
-- A branch that moves in the repository is not seen, nor the credential that a whole account shares: see
-- source-credentials.
SELECT
  event_time,
  project_name,
  setting,
  coalesce(before, before_deleted) AS before,
  after,
  before_known OR before_deleted IS NOT NULL AS before_known,
  change,
  actor,
  source_ip_address,
  event_name,
  account,
  region
FROM project_changes
WHERE setting IN (
    'source.type', 'source.location', 'sourceVersion', 'source.auth.type', 'source.auth.resource',
    'source.insecureSsl', 'source.gitSubmodulesConfig.fetchSubmodules', 'secondarySources',
    'secondarySources.settings', 'secondarySourceVersions', 'environment.certificate'
  )
  AND ($initial OR NOT first_value)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
