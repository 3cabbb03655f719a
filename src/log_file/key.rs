//! What a key tells of a log file before it is read: its kind, whose it is, from which region, and when
//! it was delivered.
//!
//! `[prefix/]AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_TIME_...`
//! (CloudTrail guide, "Finding your log files"). The same for folders on disk as in S3. What a key
//! does not tell is not guessed: such a log file is read.

use chrono::{NaiveDate, NaiveDateTime};
use memchr::memmem;

/// What the levels of a key tell, as far as it goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told<'k> {
    pub(crate) account: Option<&'k str>,
    pub(crate) region: Option<&'k str>,
    /// The first and last day of the year, month or day that it is below.
    pub(crate) days: Option<(NaiveDate, NaiveDate)>,
    /// How many of year, month, day.
    pub(crate) date_levels: usize,
}

impl<'k> Told<'k> {
    pub(crate) fn by(key: &'k str) -> Self {
        let mut told = Self::default();
        let name = key.rsplit('/').next().unwrap_or_default();
        if let Some((account, region, time)) = of_name(name) {
            let day = time.date();
            (told.account, told.region) = (Some(account), Some(region));
            (told.days, told.date_levels) = (Some((day, day)), 3);
            return told;
        }
        let mut levels = key.split('/').skip_while(|level| *level != "AWSLogs").skip(1).peekable();
        levels.next_if(|level| level.starts_with("o-"));
        told.account = levels.next_if(|level| is_account(level));
        if told.account.is_none()
            || levels.next_if(|level| level.starts_with("CloudTrail")).is_none()
        {
            return told;
        }
        told.region = levels.next_if(|level| !level.is_empty());
        let numbers = levels.map_while(|level| level.parse::<u32>().ok()).take(3);
        let numbers: Vec<_> = numbers.collect();
        told.days = days(&numbers);
        told.date_levels = if told.days.is_some() { numbers.len() } else { 0 };
        told
    }
}

/// The first and last day of a year, a month, or a day.
fn days(numbers: &[u32]) -> Option<(NaiveDate, NaiveDate)> {
    let day =
        |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    Some(match *numbers {
        [year] => (day(year, 1, 1)?, day(year, 12, 31)?),
        [year, 12] => (day(year, 12, 1)?, day(year, 12, 31)?),
        [year, month] => (day(year, month, 1)?, day(year, month + 1, 1)?.pred_opt()?),
        [year, month, of] => (day(year, month, of)?, day(year, month, of)?),
        _ => return None,
    })
}

fn is_account(level: &str) -> bool {
    level.len() == 12 && level.bytes().all(|byte| byte.is_ascii_digit())
}

/// Account, region and delivery time in `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`; the
/// `_` before the unique part is missing in an example of the documentation.
fn of_name(name: &str) -> Option<(&str, &str, NaiveDateTime)> {
    let mut parts = name.splitn(4, '_');
    let (account, kind, region) = (parts.next()?, parts.next()?, parts.next()?);
    let time = parts.next()?.get(..14)?;
    if !is_account(account) || !kind.starts_with("CloudTrail") {
        return None;
    }
    Some((account, region, NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%MZ").ok()?))
}

/// Folders of other services in `AWSLogs/ACCOUNT`, each with the page of AWS's documentation that has its
/// keys. All that is below them is theirs. A folder that is not here is read: what it holds tells whose it is,
/// and a log file is never lost for a name that AWS gives next year.
const SERVICES: [&str; 17] = [
    // Amazon Bedrock, "Monitor model invocation using CloudWatch Logs and Amazon S3".
    "BedrockModelInvocationLogs",
    // Amazon CloudFront, "Configure standard logging (v2)".
    "CloudFront",
    // AWS Config, "Delivering Configuration Snapshot to an Amazon S3 Bucket".
    "Config",
    // Elastic Load Balancing, "Access logs", "Connection logs", of all its kinds of balancers.
    "elasticloadbalancing",
    // Amazon EventBridge, "Logging for Amazon EventBridge event buses".
    "EventBusLogs",
    // AWS Global Accelerator, "Flow logs in AWS Global Accelerator".
    "globalaccelerator",
    // Amazon GuardDuty, "Exporting generated findings to Amazon S3".
    "GuardDuty",
    // Amazon IVS, "Chat Logging".
    "IVSChatLogs",
    // Amazon MSK, "Amazon MSK logging".
    "KafkaBrokerLogs",
    // Kiro and Amazon Q Developer, "Viewing per-user activity".
    "KiroLogs",
    // Amazon Macie, "Storing and retaining sensitive data discovery results".
    "Macie",
    // AWS Network Firewall, "Sending AWS Network Firewall logs to Amazon S3".
    "network-firewall",
    "QDeveloperLogs",
    // Amazon Redshift, "Database audit logging".
    "redshift",
    // Amazon Route 53, "Resolver query logging: AWS resources that you can send query logs to".
    "vpcdnsquerylogs",
    // Amazon VPC, "Flow log files"; AWS Transit Gateway, "Flow Logs records in Amazon S3".
    "vpcflowlogs",
    // AWS WAF, "Sending protection pack (web ACL) traffic logs to an Amazon S3 bucket".
    "WAFLogs",
];

/// The other service that a key, or a folder, is of, if its levels or its file name say so:
/// `AWSLogs/ACCOUNT/SERVICE/`, Hive's `AWSLogs/aws-account-id=ACCOUNT/aws-service=SERVICE/`,
/// `ACCOUNT_SERVICE_REGION_...`.
pub(crate) fn service(key: &str) -> Option<&'static str> {
    let is = |name: &str| SERVICES.into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let mut levels = key.split('/').skip_while(|level| *level != "AWSLogs").skip(1).peekable();
    levels.next_if(|level| level.starts_with("o-"));
    let account = levels.next().unwrap_or_default();
    let of_level = if is_account(account) {
        levels.next()
    } else if account.starts_with("aws-account-id=") {
        levels.next().and_then(|level| level.strip_prefix("aws-service="))
    } else {
        None
    };
    of_level.and_then(is).or_else(|| {
        let mut parts = key.rsplit('/').next()?.split('_');
        let account = parts.next()?;
        is_account(account).then_some(())?;
        is(parts.next()?)
    })
}

/// The account and region that a log file or digest is of, as far as its key tells.
pub(crate) fn owner(key: &str) -> Option<(String, String)> {
    let told = Told::by(key);
    Some((told.account?.to_owned(), told.region?.to_owned()))
}

/// The delivery time in a log file's name, in milliseconds since 1970.
pub(crate) fn delivery_time(name: &str) -> Option<i64> {
    of_name(name).map(|(_, _, time)| time.and_utc().timestamp_millis())
}

/// What a file is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    LogFile,
    Digest,
    Insight,
    Aggregated,
}

impl FileKind {
    pub(crate) fn from_key(key: &str, keep_all: bool) -> Self {
        if is_of_kind(key, "CloudTrail-Digest") {
            Self::Digest
        } else if is_of_kind(key, "CloudTrail-Insight") && !keep_all {
            Self::Insight
        } else if is_of_kind(key, "CloudTrail-Aggregated") && !keep_all {
            Self::Aggregated
        } else {
            Self::LogFile
        }
    }
}

/// Whether a key is of a kind: a level of it is called so, or its file name says so.
fn is_of_kind(key: &str, kind: &str) -> bool {
    // Nearly none has it anywhere.
    if memmem::find(key.as_bytes(), kind.as_bytes()).is_none() {
        return false;
    }
    let mut levels = key.rsplit(['/', '\\']);
    let name = levels.next().unwrap_or_default();
    name.split('_').nth(1) == Some(kind) || levels.any(|level| level == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "111122223333_CloudTrail_us-east-1_20260926T1455Z_9nYN7gp2eWAJHIfT.json.gz";

    #[test]
    fn the_delivery_time_is_in_the_name() {
        let expected = Some(1_790_434_500_000);
        for name in [
            NAME,
            "111122223333_CloudTrail_us-east-1_20260926T1455Z9nYN7gp2eWAJHIfT.json.gz",
            "111122223333_CloudTrail-NetworkActivity_us-east-1_20260926T1455Z_9nYN7gp2eWAJHIfT.json",
        ] {
            assert_eq!(delivery_time(name), expected, "{name}");
        }
        for name in ["events.json", "1_CloudTrail_r_20260926T1455Z_x", "a_b_c_é", ""] {
            assert_eq!(delivery_time(name), None, "{name}");
        }
    }

    #[test]
    fn other_services_are_told_by_folder_or_name() {
        let log = format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/26/{NAME}");
        for (key, expected) in [
            ("AWSLogs/111122223333/vpcflowlogs", Some("vpcflowlogs")),
            ("p/q/AWSLogs/o-abcdefghij/111122223333/Config/us-east-1/x.json.gz", Some("Config")),
            ("AWSLogs/111122223333/WAFLogs/us-east-1/acl/2026/x.log.gz", Some("WAFLogs")),
            (
                "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=r/x.gz",
                Some("vpcflowlogs"),
            ),
            (
                "copied/111122223333_elasticloadbalancing_us-east-1_app.my-lb_x.log.gz",
                Some("elasticloadbalancing"),
            ),
            ("111122223333_waflogs_us-east-1_acl_20260901T0000Z_x.log.gz", Some("WAFLogs")),
            // What is not known is no other service's.
            ("AWSLogs/111122223333/NextYear/us-east-1/x.json.gz", None),
            ("AWSLogs/111122223333/CloudTrail-Lake/Query/2026/result_1.csv.gz", None),
            ("AWSLogs/111122223333", None),
            ("AWSLogs/Config/x.json", None),
            ("Config/AWSLogs/x.json", None),
            ("AWSLogs", None),
            ("", None),
            (&*log, None),
        ] {
            assert_eq!(service(key), expected, "{key}");
        }
        let is_sorted = SERVICES.is_sorted_by_key(|name| name.to_ascii_lowercase());
        assert!(is_sorted, "{SERVICES:?}");
    }

    #[test]
    fn kinds_are_known_by_level_or_name() {
        let digest = "CloudTrail-Digest";
        assert!(is_of_kind("x/AWSLogs/1/CloudTrail-Digest/r/2026/f.json.gz", digest));
        assert!(is_of_kind(
            "111122223333_CloudTrail-Digest_r_t_r_20260926T160131Z.json.gz",
            digest
        ));
        assert!(!is_of_kind("CloudTrail-Digest.json", digest));
        assert!(!is_of_kind("a/CloudTrail/f_CloudTrail_r.json", digest));
    }
}
