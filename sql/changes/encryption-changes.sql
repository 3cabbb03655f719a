-- title: Changes of encryption
-- question: Where was the encryption of artifacts or logs turned off or on, or the key changed, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- AWS masks the key today; a masked key is listed where an update named it. true means not encrypted. Secondary
-- artifacts are listed where one of theirs is not encrypted. A project created without encryption is here. A single
-- build without it is in build-overrides; encryption of the buckets themselves is not seen.
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
WHERE CASE
    WHEN setting = 'encryptionKey' THEN $initial OR event_name = 'UpdateProject' AND NOT first_value
    WHEN setting = 'secondaryArtifacts'
      THEN after LIKE '%"encryptionDisabled":true%'
        OR coalesce(before, before_deleted) LIKE '%"encryptionDisabled":true%'
    WHEN setting IN ('artifacts.encryptionDisabled', 'logsConfig.s3Logs.encryptionDisabled')
      THEN $initial OR NOT first_value OR (event_name = 'CreateProject' AND after = 'true')
    ELSE false
  END
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
