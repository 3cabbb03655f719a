-- title: Changes of build images
-- question: Which projects were given another build image, or another way to get it, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: project text [] Only this project
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- parameter: initial boolean [false] Also first settings, of which no earlier value is known
-- severity: medium
-- attack: T1677
-- response: Compare the image with those of other projects, and pull it to see what it runs at start.
-- benign: Upgrades to a newer standard image, and teams that build their own.
-- Whoever chooses the image runs code with the service role. A fleet may have an image of its own.
-- A project that was deleted and created anew is compared with what it was. The first settings of a project
-- are not listed, nor an update of which the dataset shows no value before: --initial true lists them.
-- An image that changes behind the same tag is not seen, nor one of a single build: see build-overrides.
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
    'environment.image', 'environment.imagePullCredentialsType',
    'environment.registryCredential.credential', 'environment.registryCredential.credentialProvider',
    'environment.fleet.fleetArn', 'environment.hostKernel'
  )
  AND ($initial OR NOT first_value)
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($project IS NULL OR project_name = $project)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS FIRST, step, event_id NULLS FIRST, setting
