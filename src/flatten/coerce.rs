//! From one JSON value to a typed cell.
//!
//! Nothing fails on shape: a number written as text is parsed, a number where text is expected
//! keeps its text, and what cannot be the column's type is [`Coerced::Misfit`]. No value is guessed:
//! a date without a zone is a misfit. Whether a value is a mask is for the settings to ask
//! ([`is_masked`]).

use crate::flatten::row::Value;
use crate::json::Json;
use crate::schema::Kind;
use chrono::{DateTime, NaiveDateTime};
use std::borrow::Cow;

/// What CodeBuild writes in place of what it hides; the others are habits of other services.
const AWS_MASKS: [&str; 4] =
    ["HIDDEN_DUE_TO_SECURITY_REASONS", "sensitiveDataRemoved", "REDACTED", "<redacted>"];

/// Whether a text is a mask that AWS put in place of a value.
pub(crate) fn is_aws_mask(text: &str) -> bool {
    text.bytes().next().is_some_and(begins_a_mask)
        && (AWS_MASKS.contains(&text) || (text.len() >= 3 && text.bytes().all(|b| b == b'*')))
}

/// Whether a mask of AWS's begins with a byte: most texts are told by it.
fn begins_a_mask(first: u8) -> bool {
    matches!(first, b'*' | b'H' | b's' | b'R' | b'<')
}

/// Whether a JSON value is a string that is a mask of AWS's.
pub(crate) fn is_masked(value: Json<'_, '_>) -> bool {
    // A long text with escapes in it is not copied for this.
    let may_be = |first: &u8| *first == b'\\' || begins_a_mask(*first);
    value.raw().as_bytes().get(1).is_some_and(may_be)
        && value.string().is_some_and(|text| is_aws_mask(&text))
}

/// What became of a value on its way into a typed column.
#[derive(Debug, PartialEq)]
pub(crate) enum Coerced<'a> {
    /// JSON null.
    Null,
    /// It fits.
    Value(Value<'a>),
    /// It is of another type.
    Misfit,
}

/// Coerces one JSON value to `kind`.
pub(crate) fn coerce<'a>(value: Json<'a, '_>, kind: Kind) -> Coerced<'a> {
    if value.is_null() {
        return Coerced::Null;
    }
    if kind == Kind::TextList {
        return list(value, None);
    }
    let value = match kind {
        Kind::Text => text(value).map(Value::Text),
        Kind::Bool => bool(value).map(Value::Bool),
        Kind::Int32 => int(value).filter(|n| i32::try_from(*n).is_ok()).map(Value::Int),
        Kind::Int64 => int(value).map(Value::Int),
        Kind::Time => time(value).map(Value::Time),
        Kind::TextList => None,
    };
    value.map_or(Coerced::Misfit, Coerced::Value)
}

/// A text column's value: a string's text, or the JSON text of a number or boolean.
pub(crate) fn text<'a>(value: Json<'a, '_>) -> Option<Cow<'a, str>> {
    if value.is_string() {
        return value.string();
    }
    let is_scalar = !(value.is_object() || value.is_list() || value.is_null());
    is_scalar.then(|| Cow::Borrowed(value.raw()))
}

/// A JSON boolean, or text that spells one (`sessionCredentialFromConsole` is `"true"`).
fn bool(value: Json<'_, '_>) -> Option<bool> {
    let text = text(value)?;
    match text.as_ref() {
        "true" => Some(true),
        "false" => Some(false),
        other if other.eq_ignore_ascii_case("true") => Some(true),
        other if other.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// An integer, as a number or as text; a number with a fraction or exponent only if it is whole.
fn int(value: Json<'_, '_>) -> Option<i64> {
    let text = text(value)?;
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        // Beyond 2^53 a float no longer says which integer was meant.
        let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        exact.then_some(number as i64)
    })
}

/// The list of texts in a JSON list, or with `element` of that member of each of its objects. A
/// null, a missing member and a value that is no text are null elements.
pub(crate) fn list<'a>(value: Json<'a, '_>, element: Option<&str>) -> Coerced<'a> {
    if !value.is_list() {
        return if value.is_null() { Coerced::Null } else { Coerced::Misfit };
    }
    Coerced::Value(Value::List(
        value.elements().map(|value| self::element(value, element)).collect(),
    ))
}

/// The text of a list's element, or of its member called `element`.
pub(crate) fn element<'a>(value: Json<'a, '_>, element: Option<&str>) -> Option<Cow<'a, str>> {
    text(match element {
        Some(name) => value.member(name)?,
        None => value,
    })
}

/// The forms of a date that name an instant: RFC 3339, ISO basic, epoch seconds, epoch
/// milliseconds. `Sep 6, 2016 10:59:11 AM` names none: its zone is unknown.
fn time(value: Json<'_, '_>) -> Option<i64> {
    let text = text(value)?;
    // Text of a few digits may be a year; an epoch has at least nine.
    let is_epoch = !value.is_string() || text.len() >= 9;
    canonical_time(&text)
        .or_else(|| rfc3339(&text))
        .or_else(|| basic(&text))
        .or_else(|| is_epoch.then(|| epoch(&text)).flatten())
}

/// An event time's milliseconds since 1970: any RFC 3339 text.
pub(crate) fn event_time(text: &str) -> Option<i64> {
    canonical_time(text).or_else(|| rfc3339(text))
}

/// `YYYY-MM-DDTHH:MM:SSZ`, as CloudTrail itself writes every event time: the only form that the
/// timestamp alone gives back.
pub(crate) fn canonical_time(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
        b'Z',
    ] = *bytes
    else {
        return None;
    };
    let digits = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    let date = chrono::NaiveDate::from_ymd_opt(
        i32::try_from(digits(&[y1, y2, y3, y4])?).ok()?,
        digits(&[m1, m2])?,
        digits(&[d1, d2])?,
    )?;
    let time = date.and_hms_opt(digits(&[h1, h2])?, digits(&[i1, i2])?, digits(&[s1, s2])?)?;
    Some(time.and_utc().timestamp_millis())
}

fn rfc3339(text: &str) -> Option<i64> {
    // A space for the `T` is common practice, but not RFC 3339's own grammar.
    let strict = text.as_bytes().get(10).is_some_and(|b| b.eq_ignore_ascii_case(&b'T'));
    strict.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten().map(|t| t.timestamp_millis())
}

/// `20131102T010628Z`, as the documentation spells a session's creation date.
fn basic(text: &str) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    (text.len() == 16).then(|| time.and_utc().timestamp_millis())
}

/// Seconds since 1970, whole, fractional or in exponent form; from 10^11 on, milliseconds (10^11
/// seconds is the year 5138, 10^11 milliseconds is 1973). Computed on the decimal text: a float
/// would round what has to be cut.
fn epoch(text: &str) -> Option<i64> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.trim_start_matches('-').len() > 30 {
        return None;
    }
    let mantissa = digits.parse::<i128>().ok()?;
    let exponent = exponent.parse::<i32>().ok().filter(|exponent| exponent.unsigned_abs() <= 60)?;
    let exponent = exponent - i32::try_from(fraction.len()).ok()?;
    let seconds = scale(mantissa, exponent)?;
    let millis =
        if seconds.abs() >= 100_000_000_000 { seconds } else { scale(mantissa, exponent + 3)? };
    i64::try_from(millis).ok().filter(|millis| millis.unsigned_abs() < 100_000_000_000_000)
}

/// `mantissa` times ten to the `exponent`, cut to a whole number.
fn scale(mantissa: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs().min(38))?;
    if exponent < 0 { Some(mantissa / power) } else { mantissa.checked_mul(power) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::leaked;

    fn coerced(raw: &str, kind: Kind) -> Coerced<'_> {
        coerce(leaked(raw), kind)
    }

    fn time_of(raw: &str) -> Option<i64> {
        time(leaked(raw))
    }

    fn ms(text: &str) -> Option<i64> {
        time_of(&format!("\"{text}\""))
    }

    #[test]
    fn every_form_that_names_an_instant_is_read() {
        let expected = Some(1_473_184_751_000);
        assert_eq!(ms("2016-09-06T17:59:11Z"), expected);
        assert_eq!(ms("2016-09-06T10:59:11-07:00"), expected);
        assert_eq!(ms("20160906T175911Z"), expected);
        assert_eq!(time_of("1473184751"), expected);
        assert_eq!(time_of("1.473184751E9"), expected);
        assert_eq!(time_of("1473184751000"), expected);
        assert_eq!(ms("1473184751"), expected);
        assert_eq!(ms("2016-09-06T17:59:11.0759Z"), Some(1_473_184_751_075));
        assert_eq!(time_of("1790433770.075"), Some(1_790_433_770_075));
        assert_eq!(time_of("1473184751.0759"), Some(1_473_184_751_075));
        assert_eq!(time_of("-1.5"), Some(-1500));
    }

    #[test]
    fn a_date_without_a_zone_is_not_guessed() {
        for text in [
            "Sep 6, 2016 10:59:11 AM",
            "Sep 6, 2016 10:59:11\u{202f}AM",
            "2016-09-06 17:59:11",
            "2016-09-06T17:59:11",
            "2016-13-06T17:59:11Z",
            "",
            "NaN",
            "2016",
            "1e40",
            "0e2147483647",
            "1.5e-2147483648",
            "1473184751473184751473184751473184751",
        ] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_booleans_cross_types() {
        let int = |n| Coerced::Value(Value::Int(n));
        assert_eq!(coerced("\"60\"", Kind::Int32), int(60));
        assert_eq!(coerced("6.0E1", Kind::Int32), int(60));
        assert_eq!(coerced("60.5", Kind::Int32), Coerced::Misfit);
        assert_eq!(coerced("2147483648", Kind::Int32), Coerced::Misfit);
        assert_eq!(coerced("2147483648", Kind::Int64), int(2_147_483_648));
        assert_eq!(coerced("1.10", Kind::Text), Coerced::Value(Value::text("1.10")));
        assert_eq!(coerced("\"True\"", Kind::Bool), Coerced::Value(Value::Bool(true)));
        assert_eq!(coerced("1", Kind::Bool), Coerced::Misfit);
        assert_eq!(coerced("{}", Kind::Text), Coerced::Misfit);
        assert_eq!(coerced("null", Kind::Int32), Coerced::Null);
    }

    #[test]
    fn masks_are_told_from_values() {
        for text in AWS_MASKS.iter().chain(&["***", "*****"]) {
            assert!(is_aws_mask(text), "{text}");
            assert!(is_masked(leaked(&format!("\"{text}\""))), "{text}");
            let (first, rest) = text.split_at(1);
            let escaped = format!("\"\\u{:04x}{rest}\"", first.as_bytes()[0]);
            assert!(is_masked(leaked(&escaped)), "{escaped}");
        }
        for text in ["", "**", "hidden", "a***"] {
            assert!(!is_aws_mask(text), "{text}");
        }
    }

    #[test]
    fn lists_keep_empty_absent_and_null_apart() {
        let list_of = |raw| list(leaked(raw), Some("name"));
        assert_eq!(list_of("[]"), Coerced::Value(Value::List(vec![])));
        assert_eq!(list_of("null"), Coerced::Null);
        assert_eq!(
            list_of(r#"[{"name":"a"},{},{"name":null},{"name":7}]"#),
            Coerced::Value(Value::List(vec![Some("a".into()), None, None, Some("7".into())]))
        );
    }
}
