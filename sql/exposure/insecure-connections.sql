-- title: Insecure connections of builds
-- question: Where are TLS errors ignored, own certificates trusted, or connections sent through a proxy?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: variables list [] Names of variables to look for instead of the lists'
-- severity: medium
-- attack: T1557
-- response: Ask who runs the proxy or signed the certificate, and remove what nobody needs.
-- benign: A company's own proxy or certificate authority, and an enterprise source with a certificate of its own.
-- A proxy or a certificate of a stranger reads what builds fetch and send. Sources count, secondary ones, too,
-- the project's certificate, and variables by the lists of the view `word_lists`. A list of hosts without a
-- proxy (NO_PROXY) is harmless, and so are the network rules of a fleet.
-- Not seen: variables whose names AWS masked, which is all of the newest records, their values, and what a
-- build specification sets. A variable given to one build shows beside those of its project.
WITH requests AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region,
    request_members,
    source_insecure_ssl,
    environment_certificate,
    environment_variable_names,
    -- No element of the list has a list of its own, so the list ends at the first bracket.
    CASE
      WHEN array_has(request_members, 'secondarySources') OR array_has(request_members, 'secondarySourcesOverride')
        THEN split_part(
          split_part(coalesce(response_elements, request_parameters), '"secondarySources"', 2), ']', 1
        )
          || split_part(split_part(request_parameters, '"secondarySourcesOverride"', 2), ']', 1)
    END AS secondary_sources
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND succeeded
    AND (
      event_name IN ('StartBuild', 'StartBuildBatch')
        AND (
          array_has(request_members, 'insecureSslOverride')
          OR array_has(request_members, 'certificateOverride')
          OR array_has(request_members, 'environmentVariablesOverride')
          OR array_has(request_members, 'secondarySourcesOverride')
        )
      OR event_name IN ('CreateProject', 'UpdateProject') AND array_has(request_members, 'secondarySources')
    )
),
settings AS (
  SELECT
    event_time,
    event_id,
    event_name,
    setting,
    before,
    after,
    project_name,
    actor,
    source_ip_address,
    account,
    region
  FROM project_changes
  WHERE setting IN ('source.insecureSsl', 'environment.certificate', 'environment.environmentVariables')
    AND after IS NOT NULL
    AND change <> 'masked'
),
variables AS (
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    source_ip_address,
    account,
    region,
    before,
    unnest(string_to_array(after, ', ')) AS variable
  FROM settings
  WHERE setting = 'environment.environmentVariables'
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    project_name,
    actor,
    source_ip_address,
    account,
    region,
    CAST(NULL AS VARCHAR) AS before,
    unnest(environment_variable_names) AS variable
  FROM requests
  WHERE array_has(request_members, 'environmentVariablesOverride')
),
found AS (
  SELECT
    event_time,
    event_id,
    event_name,
    CASE setting WHEN 'source.insecureSsl' THEN 'TLS errors ignored' ELSE 'certificate trusted' END AS finding,
    CASE setting WHEN 'source.insecureSsl' THEN setting ELSE after END AS detail,
    project_name,
    actor,
    source_ip_address,
    account,
    region
  FROM settings
  WHERE setting = 'source.insecureSsl' AND after = 'true'
    OR setting = 'environment.certificate'
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
    account,
    region
  FROM requests
  WHERE source_insecure_ssl
    AND array_has(request_members, 'insecureSslOverride')
  UNION ALL
  SELECT
    event_time,
    event_id,
    event_name,
    'TLS errors ignored' AS finding,
    'secondary source' AS detail,
    project_name,
    actor,
    source_ip_address,
    account,
    region
  FROM requests
  WHERE strpos(regexp_replace(secondary_sources, '\s', '', 'g'), '"insecureSsl":true') > 0
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
    account,
    region
  FROM requests
  WHERE array_has(request_members, 'certificateOverride')
    AND nullif(environment_certificate, '') IS NOT NULL
  UNION ALL
  SELECT
    variables.event_time,
    variables.event_id,
    variables.event_name,
    coalesce(word_lists.list, 'variable looked for') AS finding,
    variables.variable AS detail,
    variables.project_name,
    variables.actor,
    variables.source_ip_address,
    variables.account,
    variables.region
  FROM variables
  LEFT JOIN word_lists
    ON word_lists.list IN ('proxy variable', 'TLS errors ignored', 'certificate trusted')
    AND word_lists.word = upper(variables.variable)
  WHERE coalesce(NOT array_has(string_to_array(variables.before, ', '), variables.variable), true)
    AND (
      $variables IS NULL AND word_lists.word IS NOT NULL
      OR array_has($variables, variables.variable)
    )
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
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST, finding, detail NULLS LAST
