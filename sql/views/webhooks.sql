-- title: Webhooks
-- question: Which states did each webhook have: set when and by whom, with which filters, and until when?
-- One row a successful CreateWebhook or UpdateWebhook. `replaced_at` is null for the state that stands as
-- far as the log tells; deleting the webhook or its project ends it. A member that an update neither asks
-- for nor answers with stays as the webhook had it. `shows_all` tells whether filters that are missing
-- do not exist. `approval_holds`: pull requests wait for a comment, and of somebody with more rights than
-- reading. `state` names a row; `number` counts the calls on a project's webhook in their order.
-- CloudTrail's times have one second. Calls of one second are put in the only order that can be: what
-- exists is deleted before it is created anew, and what does not exist is created first. Where the log
-- does not tell, it counts as existing. Of two updates in one second neither replaces the other. A row
-- without a readable time replaces nothing and is replaced by nothing. Of an event that two accounts have,
-- the copy of the project's account counts.
-- Not seen: webhooks made before the dataset begins, an UpdateProject that changes the repository under a
-- webhook, and filters of the years in which CloudTrail left them out.
-- Members that have no column are cut out of the JSON text: a quote follows a name only where it is a key
-- or a whole value, and a colon only where it is a key.
WITH calls AS (
  SELECT
    event_time,
    CAST(round(date_part('epoch', event_time) * 1000) AS BIGINT) AS millisecond,
    event_id,
    event_name,
    coalesce(nullif(split_part(project_arn, ':', 5), ''), recipient_account_id) AS account,
    aws_region AS region,
    project_name,
    actor,
    source_ip_address,
    webhook_url,
    webhook_build_type,
    webhook_scope,
    webhook_scope_name,
    webhook_filter_groups,
    webhook_pr_comment_approval,
    coalesce(array_has(request_members, 'branchFilter'), false) AS branch_filter_asked,
    coalesce(array_has(request_members, 'pullRequestBuildPolicy'), false) AS approval_asked,
    coalesce(
      nullif(
        regexp_replace(
          split_part(response_elements, '"branchFilter"', 2),
          '(?s)^(?:\s*:\s*"((?:[^"\\]|\\.)*)")?.*$', '\1'
        ),
        ''
      ),
      nullif(
        regexp_replace(
          split_part(request_parameters, '"branchFilter"', 2),
          '(?s)^(?:\s*:\s*"((?:[^"\\]|\\.)*)")?.*$', '\1'
        ),
        ''
      )
    ) AS branch_filter,
    coalesce(
      nullif(
        regexp_replace(
          split_part(response_elements, '"approverRoles"', 2), '(?s)^(?:\s*:\s*\[([^\]]*)\])?.*$', '\1'
        ),
        ''
      ),
      nullif(
        regexp_replace(
          split_part(request_parameters, '"approverRoles"', 2), '(?s)^(?:\s*:\s*\[([^\]]*)\])?.*$', '\1'
        ),
        ''
      )
    ) AS approver_roles,
    split_part(split_part(response_elements, '"scopeConfiguration"', 2), '}', 1) AS answered_scope,
    webhook_filter_groups IS NULL
      AND (
        ltrim(split_part(response_elements, '"filterGroups"', 2), ': ') LIKE '"%'
        OR ltrim(split_part(request_parameters, '"filterGroups"', 2), ': ') LIKE '"%'
      ) AS filters_masked,
    shared_event_id,
    row_number() OVER (
      PARTITION BY shared_event_id
      ORDER BY
        CASE
          WHEN recipient_account_id = split_part(project_arn, ':', 5) THEN 0
          WHEN recipient_account_id IS DISTINCT FROM user_identity_account_id THEN 1
          ELSE 2
        END,
        recipient_account_id NULLS LAST,
        event_id NULLS LAST
    ) AS copy
  FROM events
  WHERE event_source = 'codebuild.amazonaws.com'
    AND event_name IN ('CreateProject', 'DeleteProject', 'CreateWebhook', 'UpdateWebhook', 'DeleteWebhook')
    AND succeeded
    AND project_name IS NOT NULL
    AND (event_time IS NOT NULL OR event_name IN ('CreateWebhook', 'UpdateWebhook'))
),
-- The calls of one second, and what they add up to.
seconds AS (
  SELECT
    *,
    count(*) FILTER (WHERE event_name = 'CreateProject') OVER (
      PARTITION BY account, region, project_name
      ORDER BY millisecond NULLS FIRST
      RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING
    ) AS project_creates,
    count(*) FILTER (WHERE event_name = 'DeleteProject') OVER (
      PARTITION BY account, region, project_name
      ORDER BY millisecond NULLS FIRST
      RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING
    ) AS project_deletes,
    count(*) FILTER (WHERE event_name = 'CreateWebhook') OVER (
      PARTITION BY account, region, project_name
      ORDER BY millisecond NULLS FIRST
      RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING
    ) AS webhook_creates,
    count(*) FILTER (WHERE event_name = 'DeleteWebhook') OVER (
      PARTITION BY account, region, project_name
      ORDER BY millisecond NULLS FIRST
      RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING
    ) AS webhook_deletes,
    max(CASE WHEN event_name = 'CreateWebhook' THEN webhook_url END) OVER (
      PARTITION BY account, region, project_name
      ORDER BY millisecond NULLS FIRST
      RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING
    ) AS created_url
  FROM calls
  WHERE shared_event_id IS NULL OR copy = 1
),
-- Twice the last time that tells, and one more if the thing existed after it.
existence AS (
  SELECT
    *,
    coalesce(
      max(
        CASE
          WHEN event_time IS NULL THEN NULL
          WHEN project_creates > project_deletes THEN 2 * millisecond + 1
          WHEN project_creates < project_deletes THEN 2 * millisecond
          WHEN project_creates = 0 THEN 2 * millisecond + 1
        END
      ) OVER (
        PARTITION BY account, region, project_name
        ORDER BY millisecond NULLS FIRST
        RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) % 2 = 1,
      true
    ) AS project_existed,
    coalesce(
      max(
        CASE
          WHEN event_time IS NULL THEN NULL
          WHEN project_creates < project_deletes THEN 2 * millisecond
          WHEN webhook_creates > webhook_deletes THEN 2 * millisecond + 1
          WHEN webhook_creates < webhook_deletes THEN 2 * millisecond
          WHEN project_creates + project_deletes > 0 AND webhook_creates = 0 THEN 2 * millisecond
          WHEN event_name = 'UpdateWebhook' AND webhook_creates = 0 THEN 2 * millisecond + 1
        END
      ) OVER (
        PARTITION BY account, region, project_name
        ORDER BY millisecond NULLS FIRST
        RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) % 2 = 1,
      true
    ) AS webhook_existed
  FROM seconds
),
ranked AS (
  SELECT
    *,
    CASE event_name
      WHEN 'DeleteProject'
        THEN CASE
          WHEN CASE WHEN project_existed THEN 1 ELSE 0 END + project_creates - project_deletes <= 0 THEN 7
          ELSE 2
        END
      WHEN 'CreateProject' THEN CASE WHEN project_existed AND project_deletes > 0 THEN 3 ELSE 0 END
      WHEN 'DeleteWebhook'
        THEN CASE
          WHEN CASE WHEN webhook_existed THEN 1 ELSE 0 END + webhook_creates - webhook_deletes > 0 THEN 1
          ELSE 6
        END
      WHEN 'CreateWebhook' THEN 4
      -- An update belongs to the new webhook unless it answers with another one's URL.
      ELSE CASE
        WHEN webhook_creates = 0 AND webhook_deletes + project_deletes > 0 THEN 0
        WHEN webhook_creates > 0 AND webhook_existed AND webhook_url <> created_url THEN 0
        ELSE 5
      END
    END AS rank_in_second,
    -- Numbers at the end of a webhook's URL grow.
    CASE WHEN event_name = 'CreateWebhook' THEN webhook_url END AS new_url
  FROM existence
),
ordered AS (
  SELECT
    *,
    CAST(
      row_number() OVER (
        PARTITION BY account, region, project_name
        ORDER BY
          millisecond NULLS FIRST,
          rank_in_second,
          length(new_url) NULLS FIRST,
          new_url NULLS FIRST,
          event_id NULLS LAST,
          webhook_filter_groups NULLS LAST
      ) AS BIGINT
    ) AS number,
    CASE
      WHEN event_time IS NOT NULL
        THEN first_value(event_time) OVER (
          PARTITION BY account, region, project_name
          ORDER BY
            millisecond NULLS FIRST,
            rank_in_second,
            length(new_url) NULLS FIRST,
            new_url NULLS FIRST
          GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        )
    END AS replaced_at,
    sum(CASE WHEN event_name <> 'UpdateWebhook' THEN 1 ELSE 0 END) OVER (
      PARTITION BY account, region, project_name
      ORDER BY
        millisecond NULLS FIRST,
        rank_in_second,
        length(new_url) NULLS FIRST,
        new_url NULLS FIRST,
        event_id NULLS LAST,
        webhook_filter_groups NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS boundaries
  FROM ranked
),
lives AS (
  SELECT
    *,
    CASE WHEN event_time IS NULL THEN -number ELSE boundaries END AS life
  FROM ordered
),
-- The last value that a webhook was given, behind the number of the call that gave it.
carried AS (
  SELECT
    event_time,
    event_id,
    event_name,
    account,
    region,
    project_name,
    replaced_at,
    number,
    actor,
    source_ip_address,
    webhook_url IS NOT NULL AND NOT coalesce(filters_masked, false) AS answered,
    max(lpad(CAST(number AS VARCHAR), 9, '0') || webhook_url) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_url,
    max(lpad(CAST(number AS VARCHAR), 9, '0') || webhook_build_type) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_build_type,
    max(
      lpad(CAST(number AS VARCHAR), 9, '0')
        || coalesce(
          webhook_scope,
          nullif(regexp_replace(answered_scope, '(?s)^(?:.*"scope"\s*:\s*"([^"]*)")?.*$', '\1'), '')
        )
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_scope,
    max(
      lpad(CAST(number AS VARCHAR), 9, '0')
        || coalesce(
          webhook_scope_name,
          nullif(regexp_replace(answered_scope, '(?s)^(?:.*"name"\s*:\s*"([^"]*)")?.*$', '\1'), '')
        )
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_scope_name,
    -- A branch filter takes the place of filter groups where the answer has none.
    max(
      CASE
        WHEN webhook_filter_groups IS NOT NULL
          OR event_name = 'CreateWebhook' AND webhook_url IS NOT NULL AND NOT coalesce(filters_masked, false)
          OR branch_filter_asked AND branch_filter IS NOT NULL AND webhook_url IS NOT NULL
          THEN lpad(CAST(number AS VARCHAR), 9, '0') || coalesce(webhook_filter_groups, '')
      END
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_filter_groups,
    max(
      CASE
        WHEN branch_filter_asked OR branch_filter IS NOT NULL OR webhook_filter_groups IS NOT NULL
          THEN lpad(CAST(number AS VARCHAR), 9, '0') || coalesce(branch_filter, '')
      END
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_branch_filter,
    max(
      CASE WHEN branch_filter_asked THEN 2 * number + 1 WHEN webhook_filter_groups IS NOT NULL THEN 2 * number END
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_branch_filter_asked,
    max(lpad(CAST(number AS VARCHAR), 9, '0') || webhook_pr_comment_approval) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_comment_approval,
    max(
      CASE
        WHEN approval_asked OR approver_roles IS NOT NULL
          THEN lpad(CAST(number AS VARCHAR), 9, '0')
            || coalesce(regexp_replace(replace(approver_roles, ',', ', '), '[^A-Z_, ]|\s+', ' ', 'g'), '')
      END
    ) OVER (
      PARTITION BY account, region, project_name, life
      ORDER BY number
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS last_approver_roles
  FROM lives
)
SELECT
  event_time,
  event_id,
  event_name,
  account,
  region,
  project_name,
  replaced_at,
  substr(last_url, 10) AS webhook_url,
  substr(last_build_type, 10) AS build_type,
  substr(last_scope, 10) AS scope,
  substr(last_scope_name, 10) AS scope_name,
  nullif(substr(last_filter_groups, 10), '') AS filter_groups,
  substr(last_comment_approval, 10) AS comment_approval,
  answered OR last_filter_groups IS NOT NULL AS shows_all,
  coalesce(last_branch_filter_asked % 2 = 1, false) AS branch_filter_asked,
  actor,
  source_ip_address,
  CASE
    WHEN strpos(lower(last_branch_filter), '\ud') > 0 THEN substr(last_branch_filter, 10)
    ELSE nullif(('{"v":"' || substr(last_branch_filter, 10) || '"}') ->> 'v', '')
  END AS branch_filter,
  nullif(
    array_to_string(
      array_sort(string_to_array(replace(substr(last_approver_roles, 10), ' ', ''), ',')), ', '
    ),
    ''
  ) AS approver_roles,
  substr(last_comment_approval, 10) IN ('ALL_PULL_REQUESTS', 'FORK_PULL_REQUESTS')
    AND regexp_replace(coalesce(last_approver_roles, ''), 'GITHUB_READ|BITBUCKET_READ|GITLAB_GUEST', '')
      = coalesce(last_approver_roles, '') AS approval_holds,
  number,
  coalesce(account, '') || '/' || coalesce(region, '') || '/' || project_name || '/' || CAST(number AS VARCHAR)
    AS state
FROM carried
WHERE event_name IN ('CreateWebhook', 'UpdateWebhook')
