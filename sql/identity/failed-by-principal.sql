-- title: Failures by principal
-- question: Whose calls fail or are denied, how often, and with which errors?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- chart: bar principal failed
-- Counted by error first: texts are gathered of few rows then.
-- Not seen: who fails by another principal each time, and builds that fail, which CloudTrail does not tell.
WITH errors AS (
  SELECT
    principal,
    error_code,
    max(credential_kind) AS credential_kind,
    count(*) AS requests,
    count(*) FILTER (WHERE NOT succeeded) AS failed,
    count(*) FILTER (WHERE denied) AS denied,
    max(CASE WHEN NOT succeeded THEN event_time END) AS last_failed
  FROM calls_once
  WHERE event_source = 'codebuild.amazonaws.com'
    AND ($since IS NULL OR event_time >= $since)
    AND ($until IS NULL OR event_time < $until)
    AND ($project IS NULL OR project_name = $project)
    AND ($actor IS NULL OR actor = $actor)
    AND ($account IS NULL OR account = $account)
    AND (copy = 1 OR $account IS NOT NULL)
    AND ($region IS NULL OR region = $region)
  GROUP BY principal, error_code
)
SELECT
  principal,
  max(credential_kind) AS credential_kind,
  sum(requests) AS requests,
  sum(failed) AS failed,
  sum(denied) AS denied,
  string_agg(error_code, ', ' ORDER BY error_code NULLS LAST) AS error_codes,
  max(last_failed) AS last_failed
FROM errors
GROUP BY principal
HAVING sum(failed) > 0
ORDER BY failed DESC, principal NULLS LAST
