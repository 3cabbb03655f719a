//! `to_timestamp` and its kin of texts, in the session's time zone.
//!
//! The engine (55) promises times in the session's zone and gives those of a column of texts without a
//! zone, so that every statement with one fails ("column types must match schema types",
//! apache/datafusion #24632). The instants are right, also those of texts that name no zone. Only the type
//! lacks the zone, and gets it here. Without a session's zone there would be no fault, but no `Z` in
//! results either; and `SET TIME ZONE` would bring it back. To be deleted once the engine has the fix.

use arrow::array::{Array as _, ArrayRef, make_array};
use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::functions::datetime;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use std::sync::Arc;

/// One of the engine's functions, with times of the type that it promises.
#[derive(Debug, PartialEq, Eq, Hash)]
struct InZone(Arc<ScalarUDF>);

/// The functions, in place of the engine's of the same names.
pub(in crate::query) fn functions(options: &ConfigOptions) -> [ScalarUDF; 5] {
    [
        datetime::to_timestamp(options),
        datetime::to_timestamp_seconds(options),
        datetime::to_timestamp_millis(options),
        datetime::to_timestamp_micros(options),
        datetime::to_timestamp_nanos(options),
    ]
    .map(|function| ScalarUDF::new_from_impl(InZone(function)))
}

impl ScalarUDFImpl for InZone {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = self.0.inner().with_updated_config(options)?;
        Some(ScalarUDF::new_from_impl(Self(Arc::new(updated))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let promised = args.return_type().clone();
        // Not through the engine's own wrapper, which checks the type in a build with debug assertions.
        match self.0.inner().invoke_with_args(args)? {
            ColumnarValue::Array(times) if is_without_zone(times.data_type(), &promised) => {
                Ok(ColumnarValue::Array(with_type(&times, promised)?))
            }
            times => Ok(times),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// Whether a type is the promised one but for its zone, of which it has none.
fn is_without_zone(given: &DataType, promised: &DataType) -> bool {
    match (given, promised) {
        (DataType::Timestamp(given, None), DataType::Timestamp(promised, Some(_))) => {
            given == promised
        }
        _ => false,
    }
}

/// The same instants: a cast would take them for local times.
fn with_type(times: &ArrayRef, data_type: DataType) -> Result<ArrayRef> {
    Ok(make_array(times.to_data().into_builder().data_type(data_type).build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray as _, StringArray, TimestampSecondArray};
    use arrow::datatypes::{Field, TimeUnit, TimestampSecondType};

    #[test]
    fn a_column_of_texts_has_the_promised_type() {
        let mut options = ConfigOptions::default();
        options.execution.time_zone = Some("+02:00".to_owned());
        let [_, seconds, ..] = functions(&options);
        let texts = StringArray::from(vec![Some("1970-01-01T02:00:05"), None]);
        let promised = DataType::Timestamp(TimeUnit::Second, Some("+02:00".into()));
        assert_eq!(seconds.return_type(&[DataType::Utf8]).unwrap(), promised);
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::new(texts))],
            arg_fields: vec![Arc::new(Field::new("t", DataType::Utf8, true))],
            number_rows: 2,
            return_field: Arc::new(Field::new("v", promised.clone(), true)),
            config_options: Arc::new(options),
        };
        // The engine's own wrapper fails where the type is another.
        let ColumnarValue::Array(times) = seconds.invoke_with_args(args).unwrap() else {
            panic!("one value")
        };
        assert_eq!(times.data_type(), &promised);
        let times = times.as_primitive::<TimestampSecondType>();
        assert_eq!(times.iter().collect::<Vec<_>>(), [Some(5), None]);
        let plain = TimestampSecondArray::from(vec![5]);
        assert!(is_without_zone(plain.data_type(), &promised));
        assert!(!is_without_zone(&promised, &promised));
    }
}
