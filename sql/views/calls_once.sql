-- title: Calls, each once
-- question: Which calls were made, if a record that two accounts got of one call counts once?
-- uses: calls
-- A call that concerns two accounts gives each one's trail a record: the event ids differ, the shared id is
-- one. The columns are those of the view calls, and `copy`: 1 for the record that names the caller's ARN, or
-- else is of the account that the project belongs to; 2 and more for others. A question about all
-- accounts counts `copy = 1`, one about an account counts that account's records.
-- Not seen: that two records are of one call, where an account's trail has no shared id.
-- Only rows with a shared id are numbered: the many without one need no sorting.
SELECT
  *,
  CAST(1 AS BIGINT) AS copy
FROM calls
WHERE shared_event_id IS NULL
UNION ALL
SELECT
  *,
  CAST(
    row_number() OVER (
      PARTITION BY shared_event_id
      ORDER BY
        CASE WHEN caller_arn IS NULL THEN 1 ELSE 0 END,
        CASE WHEN account = project_account THEN 0 ELSE 1 END,
        account NULLS LAST,
        event_id NULLS LAST
    ) AS BIGINT
  ) AS copy
FROM calls
WHERE shared_event_id IS NOT NULL
