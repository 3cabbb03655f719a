//! Points in time as people write them in options.
//!
//! RFC 3339; a date (midnight), a date with a time, `now`, `today`, `yesterday`; and spans back from now:
//! `30s`, `90m`, `12h`, `7d`, `4w`, `1mo`, `1y`. A time without a zone is UTC, as all times that are shown.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// How a date with a time may be written, in UTC.
const FORMATS: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// Said of a period that ends before it begins.
pub(crate) const NOT_IN_ORDER: &str = "--since is after --until: nothing is in between";

/// Milliseconds since 1970, or what is wrong with the text.
pub(crate) fn parse(text: &str, now: DateTime<Utc>) -> Result<i64, String> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let today = now.date_naive();
    let time = match text {
        "now" => Some(now),
        "today" => Some(midnight(today)),
        "yesterday" => today.checked_sub_days(Days::new(1)).map(midnight),
        _ => DateTime::parse_from_rfc3339(text)
            .map(|time| time.to_utc())
            .ok()
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(midnight))
            .or_else(|| in_utc(text))
            .or_else(|| before(text, now)),
    };
    time.map(|time| time.timestamp_millis()).ok_or_else(|| {
        "expected a time such as 2026-09-01, 2026-09-01T12:00, 2026-09-01T12:00:00Z, 7d, 12h, 1mo, \
         yesterday or now"
            .to_owned()
    })
}

/// A date with a time and without a zone, or with `Z`.
fn in_utc(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let read = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    FORMATS.iter().find_map(read).map(|time| time.and_utc())
}

/// A span back from now.
fn before(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let months = |count: &str, each: u32| {
        // Digits alone: `+1` is a number, too.
        let count = Some(count).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
        now.checked_sub_months(Months::new(count.parse::<u32>().ok()?.checked_mul(each)?))
    };
    if let Some(count) = text.strip_suffix("mo") {
        months(count, 1)
    } else if let Some(count) = text.strip_suffix('y') {
        months(count, 12)
    } else {
        span(text).and_then(|span| now.checked_sub_signed(span))
    }
}

/// Whether a period does not end before it begins. Times that look back from now are told by the clock
/// when they are read, one after the other: less than a second apart they are the same.
pub(crate) fn are_in_order(since: Option<i64>, until: Option<i64>) -> bool {
    since.zip(until).is_none_or(|(since, until)| since.saturating_sub(until) < 1_000)
}

/// How long `90s`, `12h` or `7d` is.
pub(crate) fn span(text: &str) -> Option<TimeDelta> {
    let (unit_at, unit) = text.char_indices().last()?;
    let count = text.get(..unit_at)?.parse::<u32>().ok()?;
    let count = i64::from(count);
    match unit {
        's' => TimeDelta::try_seconds(count),
        'm' => TimeDelta::try_minutes(count),
        'h' => TimeDelta::try_hours(count),
        'd' => TimeDelta::try_days(count),
        'w' => TimeDelta::try_weeks(count),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_times_in_several_ways() {
        let now = DateTime::from_timestamp_millis(1_790_433_770_000).unwrap(); // 2026-09-26T14:42:50Z
        let ms = |text| parse(text, now);
        assert_eq!(ms("now"), Ok(1_790_433_770_000));
        assert_eq!(ms("2026-09-26"), Ok(1_790_380_800_000));
        assert_eq!(ms("2026-09-26T14:42:50Z"), Ok(1_790_433_770_000));
        assert_eq!(ms("2026-09-26T15:42:50+01:00"), Ok(1_790_433_770_000));
        assert_eq!(ms("1h"), Ok(1_790_433_770_000 - 3_600_000));
        assert_eq!(ms("7d"), Ok(1_790_433_770_000 - 7 * 86_400_000));
        for same in ["2026-09-26T14:42:50", "2026-09-26 14:42:50", "2026-09-26 14:42:50Z"] {
            assert_eq!(ms(same), Ok(1_790_433_770_000), "{same}");
        }
        for same in ["2026-09-26T14:42", "2026-09-26 14:42", "2026-09-26T14:42Z"] {
            assert_eq!(ms(same), Ok(1_790_433_720_000), "{same}");
        }
        assert_eq!(ms("2026-09-26T14:42:50.5"), Ok(1_790_433_770_500));
        for (text, same) in [
            ("today", "2026-09-26"),
            ("yesterday", "2026-09-25"),
            ("1mo", "2026-08-26T14:42:50Z"),
            ("7mo", "2026-02-26T14:42:50Z"),
            ("1y", "2025-09-26T14:42:50Z"),
        ] {
            assert_eq!(ms(text), ms(same), "{text}");
        }
        // The last day of a shorter month.
        let last = DateTime::parse_from_rfc3339("2026-03-31T00:00:00Z").unwrap().to_utc();
        assert_eq!(parse("1mo", last), parse("2026-02-28", last));
        for text in [
            "",
            "d",
            "7",
            "-7d",
            "7é",
            "mo",
            "y",
            "-1mo",
            "+1y",
            "1.5y",
            "2026-02-30",
            "soon",
            "2026-09-26T25:00",
            "2026-09-26T",
            "99999999999d",
            "99999999999y",
            "4294967295mo",
        ] {
            assert!(ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_period_does_not_end_before_it_begins() {
        assert!(are_in_order(None, Some(1)) && are_in_order(Some(1), None));
        assert!(are_in_order(Some(1), Some(1)) && are_in_order(Some(1), Some(2)));
        // `--until 7d --since 7d`, read a moment apart.
        assert!(are_in_order(Some(3), Some(1)));
        assert!(!are_in_order(Some(1_001), Some(1)));
        assert!(!are_in_order(Some(i64::MAX), Some(i64::MIN)));
    }
}
