-- title: Insecure connections of builds
-- question: Where are TLS errors ignored, own certificates trusted, or connections sent through a proxy?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- severity: medium
-- attack: T1557
-- A proxy or a certificate of a stranger reads what builds fetch and send. Variables can only be seen where
-- AWS does not mask their names.
WITH found AS (
  SELECT
    event_time,
    event_id,
    event_name,
    CASE setting
      WHEN 'source.insecureSsl' THEN 'TLS errors ignored'
      WHEN 'environment.certificate' THEN 'certificate trusted'
      ELSE 'proxy variable'
    END AS finding,
    after AS detail,
    project_name,
    actor,
    source_ip_address,
    account,
    region
  FROM project_changes
  WHERE setting IN ('source.insecureSsl', 'environment.certificate', 'environment.environmentVariables')
    AND after IS NOT NULL
    AND change <> 'masked'
    AND (setting <> 'source.insecureSsl' OR after = 'true')
    AND (setting <> 'environment.environmentVariables' OR strpos(upper(after), '_PROXY') > 0)
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    'TLS errors ignored' AS finding,
    'insecureSslOverride' AS detail,
    project_name,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('StartBuild', 'StartBuildBatch')
    AND succeeded
    AND source_insecure_ssl
    AND array_has(request_members, 'insecureSslOverride')
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    'certificate trusted' AS finding,
    environment_certificate AS detail,
    project_name,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('StartBuild', 'StartBuildBatch')
    AND succeeded
    AND array_has(request_members, 'certificateOverride')
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    'proxy of a fleet' AS finding,
    fleet_proxy_default_behavior AS detail,
    CAST(NULL AS VARCHAR) AS project_name,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('CreateFleet', 'UpdateFleet')
    AND succeeded
    AND fleet_proxy_default_behavior IS NOT NULL
)
SELECT
  event_time,
  event_name,
  finding,
  detail,
  project_name,
  actor,
  source_ip_address,
  account,
  region
FROM found
WHERE true
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
ORDER BY event_time, event_id, finding, detail
