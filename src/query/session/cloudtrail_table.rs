//! `cloudtrail('path')`: the rows of log files that were not converted.
//!
//! How log files become rows is not for a query to know: whoever opens the session gives a function
//! that makes a dataset of a source. A source is read once in a session.

use crate::dataset::Dataset;
use crate::error::{Error, QueryError, Result};
use crate::query::session::{Access, attach};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes a dataset of the log files that a source names.
pub type ReadLogs = Box<dyn Fn(&str) -> Result<Dataset> + Send + Sync>;

/// The table function.
struct CloudTrail {
    read: ReadLogs,
    known: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
}

impl fmt::Debug for CloudTrail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cloudtrail")
    }
}

/// Lets statements of a session read log files, if its [`Access`] does.
pub fn register_logs(session: &SessionContext, read: ReadLogs) {
    let known = Mutex::new(HashMap::new());
    session.register_udtf("cloudtrail", Arc::new(CloudTrail { read, known }));
}

impl TableFunctionImpl for CloudTrail {
    fn call_with_args(
        &self,
        args: TableFunctionArgs<'_, '_>,
    ) -> EngineResult<Arc<dyn TableProvider>> {
        let [Expr::Literal(ScalarValue::Utf8(Some(source)), _)] = args.exprs() else {
            return plan_err!("cloudtrail() takes one text: a log file, folder or pattern");
        };
        let session = args.session();
        if !Access::from_config(session.config()).files {
            let what = "cloudtrail() names files".to_owned();
            let option = "--allow-files (or --logs on the command line)";
            return Err(from_ours(QueryError::NotAllowed { what, option }.into()));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = known.get(source) {
            return Ok(Arc::clone(table));
        }
        let dataset = (self.read)(source).map_err(from_ours)?;
        let root = format!("buildtrail://logs-{}/", known.len());
        let table = attach(&dataset, &root, session).map_err(from_ours)?;
        let table: Arc<dyn TableProvider> = Arc::new(table);
        known.insert(source.clone(), Arc::clone(&table));
        Ok(table)
    }
}

/// Our error as it passes through the engine.
fn from_ours(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
