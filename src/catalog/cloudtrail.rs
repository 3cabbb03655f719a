//! A view for Athena with the column names and types of AWS's own `CloudTrail` table, so that queries
//! written for that table run on a dataset.
//!
//! What the dataset has as typed columns is put together again; it refuses to read JSON text but for
//! `resources` and the attributes of a web identity, which have no columns of their own.

use crate::catalog::Table;

const VIEW: &str = r#"
-- Athena runs one statement at a time: this is the second. Times are text again, as in AWS's table.
CREATE OR REPLACE VIEW {view} AS
SELECT
  event_version AS eventversion,
  CAST(ROW(
    user_identity_type,
    user_identity_principal_id,
    user_identity_arn,
    user_identity_account_id,
    user_identity_invoked_by,
    user_identity_access_key_id,
    user_identity_user_name,
    ROW(on_behalf_of_user_id, on_behalf_of_identity_store_arn),
    ROW(
      ROW(
        CAST(session_mfa_authenticated AS VARCHAR),
        date_format(session_creation_date, '%Y-%m-%dT%H:%i:%sZ')
      ),
      ROW(
        session_issuer_type,
        session_issuer_principal_id,
        session_issuer_arn,
        session_issuer_account_id,
        session_issuer_user_name
      ),
      session_ec2_role_delivery,
      ROW(
        web_id_federated_provider,
        TRY(CAST(json_extract(user_identity, '$.sessionContext.webIdFederationData.attributes') AS MAP(VARCHAR, VARCHAR)))
      )
    )
  ) AS ROW(
    "type" VARCHAR,
    principalid VARCHAR,
    arn VARCHAR,
    accountid VARCHAR,
    invokedby VARCHAR,
    accesskeyid VARCHAR,
    username VARCHAR,
    onbehalfof ROW(userid VARCHAR, identitystorearn VARCHAR),
    sessioncontext ROW(
      attributes ROW(mfaauthenticated VARCHAR, creationdate VARCHAR),
      sessionissuer ROW("type" VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, username VARCHAR),
      ec2roledelivery VARCHAR,
      webidfederationdata ROW(federatedprovider VARCHAR, attributes MAP(VARCHAR, VARCHAR))
    )
  )) AS useridentity,
  date_format(event_time, '%Y-%m-%dT%H:%i:%sZ') AS eventtime,
  event_source AS eventsource,
  event_name AS eventname,
  aws_region AS awsregion,
  source_ip_address AS sourceipaddress,
  user_agent AS useragent,
  error_code AS errorcode,
  error_message AS errormessage,
  request_parameters AS requestparameters,
  response_elements AS responseelements,
  additional_event_data AS additionaleventdata,
  request_id AS requestid,
  event_id AS eventid,
  CAST(read_only AS VARCHAR) AS readonly,
  TRY(CAST(json_parse(resources) AS ARRAY(ROW(arn VARCHAR, accountid VARCHAR, "type" VARCHAR)))) AS resources,
  event_type AS eventtype,
  api_version AS apiversion,
  recipient_account_id AS recipientaccountid,
  service_event_details AS serviceeventdetails,
  shared_event_id AS sharedeventid,
  vpc_endpoint_id AS vpcendpointid,
  vpc_endpoint_account_id AS vpcendpointaccountid,
  event_category AS eventcategory,
  CAST(ROW(
    addendum_reason,
    addendum_updated_fields,
    addendum_original_request_id,
    addendum_original_event_id
  ) AS ROW(reason VARCHAR, updatedfields VARCHAR, originalrequestid VARCHAR, originaleventid VARCHAR)) AS addendum,
  CAST(session_credential_from_console AS VARCHAR) AS sessioncredentialfromconsole,
  CAST(ROW(tls_version, tls_cipher_suite, tls_client_provided_host_header)
    AS ROW(tlsversion VARCHAR, ciphersuite VARCHAR, clientprovidedhostheader VARCHAR)) AS tlsdetails{partitions}
FROM {table};
"#;

/// The view, called as the table with `_cloudtrail` behind; partition columns prune there, too.
pub(super) fn view(table: &Table) -> String {
    let own = table.partition_by.iter().filter(|column| column.name() != "event_name");
    let partitions: Vec<_> = own.map(|column| format!(",\n  \"{column}\"")).collect();
    let mut view = table.name.clone();
    view.table.push_str("_cloudtrail");
    VIEW.replace("{view}", &view.quoted('"'))
        .replace("{table}", &table.name.quoted('"'))
        .replace("{partitions}", &partitions.concat())
}
