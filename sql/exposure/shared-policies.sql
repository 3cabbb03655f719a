-- title: Policies that share with other accounts
-- question: Which projects or report groups were shared with other accounts or with everybody, by whom?
-- parameter: since timestamp [] Only events at or after this time
-- parameter: until timestamp [] Only events before this time
-- parameter: actor text [] Only calls by this actor, as the column actor has it
-- parameter: account text [] Only events of this account
-- parameter: region text [] Only events of this region
-- severity: high
-- attack: T1537
-- response: Read the policy with GetResourcePolicy, and delete what nobody can explain with DeleteResourcePolicy.
-- benign: Sharing with accounts of one's own organisation; compare `shared_with` with the list of its accounts.
-- The policy is read as JSON: one row a principal of a statement that allows. NotPrincipal allows everybody
-- but those it names. `has_condition` is about the same statement: it may narrow what is shared.
-- `has_deny`: another statement denies, and may take back what this one allows.
-- Not seen: a share of AWS RAM that leaves no PutResourcePolicy, principals that are services, deleted users
-- and roles that a policy names by id, and policies that AWS masked.
WITH policies AS (
  SELECT
    event_time,
    event_id,
    coalesce(project_arn, report_group_arn, target_ids[1]) AS resource,
    -- A lone half of a surrogate pair is no text to DuckDB.
    regexp_replace(
      resource_policy,
      '(\\[^u]|\\u[0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}|\\u[dD][0-7][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}',
      '\1', 'g'
    ) AS policy,
    actor,
    source_ip_address,
    recipient_account_id AS account,
    aws_region AS region
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name = 'PutResourcePolicy'
    AND succeeded
    AND regexp_replace(resource_policy, '^\s+', '') LIKE '{%'
),
-- A statement has at least one brace, so there are no more statements than braces.
numbered AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    policy ->> 'Statement' AS statements,
    unnest(generate_series(0, length(policy) - length(replace(policy, '{', '')))) AS number
  FROM policies
),
statements AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    number,
    CASE
      WHEN statements LIKE '[%' THEN statements ->> number
      WHEN number = 0 THEN statements
    END AS statement
  FROM numbered
),
effects AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    number,
    statement ->> 'Effect' AS effect,
    statement ->> 'Condition' AS condition,
    statement ->> 'Principal' AS principal,
    statement ->> 'NotPrincipal' AS not_principal
  FROM statements
  WHERE statement LIKE '{%'
),
judged AS (
  SELECT
    *,
    coalesce(condition NOT IN ('', '{}'), false) AS has_condition,
    bool_or(effect = 'Deny') OVER (PARTITION BY event_id, event_time, resource) AS has_deny
  FROM effects
),
-- A principal is *, or an object of kinds, each with one text or a list of them.
kinds AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    number,
    has_condition,
    has_deny,
    not_principal IS NOT NULL AS all_but,
    coalesce(not_principal, principal) AS who,
    unnest(['all', 'AWS', 'Federated', 'CanonicalUser']) AS kind
  FROM judged
  WHERE effect = 'Allow'
),
kind_values AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    number,
    has_condition,
    has_deny,
    all_but,
    kind,
    CASE
      WHEN who NOT LIKE '{%' THEN CASE WHEN kind = 'all' THEN who END
      WHEN kind = 'AWS' THEN who ->> 'AWS'
      WHEN kind = 'Federated' THEN who ->> 'Federated'
      WHEN kind = 'CanonicalUser' THEN who ->> 'CanonicalUser'
    END AS value
  FROM kinds
),
listed AS (
  SELECT
    *,
    unnest(generate_series(0, length(value) - length(replace(value, ',', '')))) AS place
  FROM kind_values
  WHERE value IS NOT NULL
),
principals AS (
  SELECT
    event_time,
    event_id,
    resource,
    actor,
    source_ip_address,
    account,
    region,
    number,
    has_condition,
    has_deny,
    all_but,
    kind,
    coalesce(nullif(split_part(resource, ':', 5), ''), account) AS owner,
    CASE WHEN value LIKE '[%' THEN value ->> place WHEN place = 0 THEN value END AS shared_with
  FROM listed
),
sharing AS (
  SELECT
    *,
    CASE
      WHEN all_but THEN 'everybody but these'
      WHEN shared_with = '*' THEN 'everybody'
      WHEN kind = 'Federated' THEN 'federated users'
      WHEN kind = 'CanonicalUser' THEN 'another account'
      WHEN regexp_replace(shared_with, '^(?:arn:[^:]*:[^:]*:[^:]*:)?([0-9]{12})(?::.*)?$', '\1') <> owner
        AND regexp_replace(shared_with, '^(?:arn:[^:]*:[^:]*:[^:]*:)?[0-9]{12}(?::.*)?$', '') = ''
        THEN 'another account'
    END AS sharing
  FROM principals
  WHERE shared_with IS NOT NULL
)
SELECT
  event_time,
  resource,
  sharing,
  shared_with,
  has_condition,
  has_deny,
  actor,
  source_ip_address,
  account,
  region
FROM sharing
WHERE sharing IS NOT NULL
  AND ($since IS NULL OR event_time >= $since)
  AND ($until IS NULL OR event_time < $until)
  AND ($actor IS NULL OR actor = $actor)
  AND ($account IS NULL OR account = $account)
  AND ($region IS NULL OR region = $region)
ORDER BY event_time NULLS LAST, event_id NULLS LAST, number, sharing, shared_with
