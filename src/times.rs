//! Points in time as people write them in options.
//!
//! RFC 3339, a date (midnight UTC), `now`, and spans back from now: `30s`, `90m`, `12h`, `7d`, `4w`. A date
//! with a time but no zone is refused: nothing is guessed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Milliseconds since 1970, or what is wrong with the text.
pub(crate) fn parse(text: &str, now: DateTime<Utc>) -> Result<i64, String> {
    let time = if text == "now" {
        Some(now)
    } else if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        Some(time.to_utc())
    } else if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        date.and_hms_opt(0, 0, 0).map(|time| time.and_utc())
    } else {
        span(text).and_then(|span| now.checked_sub_signed(span))
    };
    time.map(|time| time.timestamp_millis()).ok_or_else(|| {
        "expected a time such as 2026-09-01, 2026-09-01T12:00:00Z, 7d, 12h or now".to_owned()
    })
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
        for text in ["", "d", "7", "-7d", "7é", "2026-09-26T14:42:50", "2026-02-30", "99999999999d"]
        {
            assert!(ms(text).is_err(), "{text}");
        }
    }
}
