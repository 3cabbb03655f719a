//! A session of the engine over one dataset: its table, its options, what statements may do and use.

mod access;
mod cloudtrail_table;
mod limits;
pub(in crate::query) mod snapshot;

pub use access::Access;
pub use cloudtrail_table::{ReadLogs, register_logs};
pub use limits::QueryLimits;

use crate::dataset::Dataset;
use crate::error::Result;
use crate::layout::{DEFAULT_PARTITION, TABLE};
use crate::query::rules::compact_views::as_view;
use crate::query::rules::count_distinct::Count;
use crate::query::rules::pushdown::engine_rules;
use crate::query::rules::{COUNT_DISTINCT, RULES, last_rules, timestamps};
use crate::schema::schema;
use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::Session;
use datafusion::catalog::view::ViewTable;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, ident, lit};
use snapshot::{ROOT, Snapshot};
use std::sync::Arc;

/// Opens a dataset for queries.
pub fn open(dataset: &Dataset, access: Access, limits: &QueryLimits) -> Result<SessionContext> {
    open_without(dataset, access, limits, "")
}

/// The same with one of our rules left out, by its name in [`RULES`].
#[cfg_attr(not(feature = "stages"), expect(unreachable_pub, reason = "for benches/rules.rs"))]
pub fn open_without(
    dataset: &Dataset,
    access: Access,
    limits: &QueryLimits,
    left_out: &str,
) -> Result<SessionContext> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_extension(Arc::new(access));
    settle(config.options_mut(), limits);
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_physical_optimizer_rules(engine_rules())
        .with_config(config)
        .with_runtime_env(limits.runtime()?);
    for (name, rule) in RULES.into_iter().zip(last_rules()) {
        if name != left_out {
            state = state.with_physical_optimizer_rule(rule);
        }
    }
    let mut session = SessionContext::new_with_state(state.build());
    if left_out != COUNT_DISTINCT {
        session.register_udaf(Count::function());
    }
    for function in timestamps::functions(session.copied_config().options()) {
        session.register_udf(function);
    }
    datafusion_functions_json::register_all(&mut session)?;
    let table = attach(dataset, ROOT, &session.state())?;
    session.register_table(TABLE, Arc::new(table))?;
    Ok(session)
}

/// The engine's options that differ from its own defaults.
pub(in crate::query) fn settle(options: &mut ConfigOptions, limits: &QueryLimits) {
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // A footer with its page index has 20 to 120 KB; by default 512 KB are read of each part file.
    options.execution.parquet.metadata_size_hint = Some(64 << 10);
    // A join's filter is pushed down by the column's name alone, so a join of two tables with columns of
    // one name loses rows (apache/datafusion #25264, #25244, #25262; mended after 55.2).
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    // `SELECT max(x), min(y)` over two part files loses the least of y.
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    options.execution.sort_spill_reservation_bytes = limits.sort_reserve();
    // The zone of the table's times: times that functions make have a `Z` in results, too.
    options.execution.time_zone = Some("UTC".to_owned());
}

/// A dataset's events as a table of a session, which knows the dataset as the store `root`.
fn attach(dataset: &Dataset, root: &str, session: &dyn Session) -> Result<ViewTable> {
    let snapshot = Snapshot::new(dataset).map_err(DataFusionError::from)?;
    let root = ListingTableUrl::parse(root)?;
    session.runtime_env().register_object_store(root.as_ref(), Arc::new(snapshot));
    view(dataset, table(dataset, root, session)?)
}

/// The part files' table with Hive's default partition told as what it is: null.
fn view(dataset: &Dataset, part_files: ListingTable) -> Result<ViewTable> {
    let part_files = provider_as_source(Arc::new(part_files));
    let null = || lit(ScalarValue::Utf8(Some(DEFAULT_PARTITION.to_owned())));
    let partition_columns = dataset.partition_by().iter().map(|column| column.name());
    let partition_columns: Vec<_> = partition_columns.collect();
    let columns = part_files.schema();
    let columns = columns.fields().iter().map(|field| {
        let column = ident(field.name());
        if partition_columns.contains(&field.name().as_str()) {
            nullif(column, null()).alias(field.name())
        } else {
            column
        }
    });
    let columns: Vec<_> = columns.collect();
    let plan =
        LogicalPlanBuilder::scan("part_files", part_files, None)?.project(columns)?.build()?;
    Ok(ViewTable::new(plan, None))
}

fn table(dataset: &Dataset, root: ListingTableUrl, session: &dyn Session) -> Result<ListingTable> {
    let partition_columns: Vec<_> =
        dataset.partition_by().iter().map(|c| (c.name().to_owned(), DataType::Utf8)).collect();
    // A partition column that is a column of the files, too (`event_name`), is read from the path.
    let in_files = |name: &str| !partition_columns.iter().any(|(column, _)| column == name);
    let columns = schema();
    let fields = columns.fields().iter().filter(|field| in_files(field.name())).map(as_view);
    // A format of its own would not know the session's options.
    let options = session.default_table_options().parquet;
    let format = ParquetFormat::default().with_options(options);
    let options = ListingOptions::new(Arc::new(format))
        .with_file_extension(".parquet")
        .with_table_partition_cols(partition_columns.clone());
    let config = ListingTableConfig::new(root)
        .with_listing_options(options)
        .with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    Ok(ListingTable::try_new(config)?)
}
