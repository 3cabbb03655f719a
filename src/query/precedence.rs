//! Mends how the engine's parser groups `IS [NOT] DISTINCT FROM`.
//!
//! sqlparser (of DataFusion 55) takes all that follows as its right side, so `a IS DISTINCT FROM b AND c` becomes
//! `a IS DISTINCT FROM (b AND c)`: an error, or for booleans another answer. SQL, `PostgreSQL` and `DuckDB`
//! group it as `(a IS DISTINCT FROM b) AND c`. Parentheses of the user's own stand as a node of theirs, so
//! what they hold is left alone.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value, visit_expressions_mut};
use std::ops::ControlFlow;

/// Groups the comparisons of a statement as SQL does.
pub(super) fn regroup(statement: &mut Statement) {
    if let Statement::Statement(statement) = statement {
        let _ = visit_expressions_mut(statement.as_mut(), |expr| {
            regroup_one(expr);
            ControlFlow::<()>::Continue(())
        });
    }
}

fn regroup_one(expr: &mut Expr) {
    let (Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right)) = &mut *expr else {
        return;
    };
    // The leftmost operand of the ANDs and ORs is the comparison's own.
    let Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } = **right else {
        return;
    };
    let nothing = || Expr::Value(Value::Null.into());
    let mut all = std::mem::replace(&mut **right, nothing());
    let mut comparison = std::mem::replace(expr, nothing());
    let own = leftmost(&mut all);
    let operand = std::mem::replace(own, nothing());
    if let Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) = &mut comparison {
        **right = operand;
    }
    *own = comparison;
    *expr = all;
}

fn leftmost(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, .. } => leftmost(left),
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::parser::DFParser;

    #[test]
    fn and_and_or_bind_less_than_a_comparison() {
        for (sql, grouped) in [
            ("a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c"),
            ("a IS NOT DISTINCT FROM b OR c AND d", "(a IS NOT DISTINCT FROM b) OR (c AND d)"),
            ("a IS DISTINCT FROM (b AND c)", "a IS DISTINCT FROM (b AND c)"),
            ("a IS DISTINCT FROM b", "a IS DISTINCT FROM b"),
            ("x AND a IS DISTINCT FROM b AND c", "(x AND (a IS DISTINCT FROM b)) AND c"),
        ] {
            let parse = |sql: &str| {
                let mut statement =
                    DFParser::parse_sql(&format!("SELECT {sql}")).unwrap().remove(0).unwrap();
                regroup(&mut statement);
                statement
            };
            // Printed without the parentheses that only the expectation has.
            let plain = |statement: &Statement| statement.to_string().replace(['(', ')'], "");
            assert_eq!(plain(&parse(sql)), plain(&parse(grouped)), "{sql}");
        }
        let mut statement = DFParser::parse_sql("SELECT true IS DISTINCT FROM true AND false")
            .unwrap()
            .remove(0)
            .unwrap();
        regroup(&mut statement);
        assert!(format!("{statement:?}").contains("op: And, right: Value"), "{statement:?}");
    }
}
