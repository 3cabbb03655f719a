//! Names of a result's columns, where several have one.
//!
//! A result may have two columns of one name, as of a join of a table with itself. Most forms show both as
//! they are. In JSON an object's members need names of their own, or a reader has only the last: there the
//! second `actor` is `actor:1`. A statement whose two columns have one name and no table that tells them
//! apart (`SELECT 1, 1`) is refused by the engine and its own shell; here it runs, with such names in all
//! forms.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, Statement as Ast};
use std::collections::HashSet;

/// Names of their own: of those called `a` the second is `a:1`, unless another is called so.
pub(super) fn distinct(names: &[&str]) -> Vec<String> {
    let mut taken = HashSet::new();
    let own = |name: &&str| {
        let mut numbered = (1_u32..).map(|number| format!("{name}:{number}"));
        let mut own = (*name).to_owned();
        while !taken.insert(own.clone()) {
            let free = numbered.find(|name| !names.contains(&name.as_str()));
            own = free.unwrap_or_default();
        }
        own
    };
    names.iter().map(own).collect()
}

/// Whether the engine refuses a statement because two of its columns have one name.
pub(super) fn are_the_fault(error: &DataFusionError) -> bool {
    let fault = "require unique expression names";
    matches!(error.find_root(), DataFusionError::Plan(reason) if reason.contains(fault))
}

/// Gives a query's columns of one name names of their own; whether there are any.
pub(super) fn tell_apart(statement: &mut Statement) -> bool {
    let Statement::Statement(statement) = statement else { return false };
    let Ast::Query(query) = statement.as_mut() else { return false };
    let SetExpr::Select(select) = query.body.as_mut() else { return false };
    let named = select.projection.iter_mut().filter_map(|item| Some((name_of(item)?, item)));
    let (texts, items): (Vec<_>, Vec<_>) = named.unzip();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let mut any = false;
    for ((own, item), name) in distinct(&texts).into_iter().zip(items).zip(&texts) {
        if texts.iter().filter(|other| *other == name).count() < 2 {
            continue;
        }
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = &*item
        else {
            continue;
        };
        let alias = Ident::with_quote('"', own);
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        any = true;
    }
    any
}

/// What the column of an item is called; none of what may be several.
fn name_of(item: &SelectItem) -> Option<String> {
    let of = |name: &Ident| match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    };
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(of(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => path.last().map(of),
        SelectItem::UnnamedExpr(expr) => Some(expr.to_string()),
        SelectItem::ExprWithAlias { alias, .. } => Some(of(alias)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::execute::statements;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(distinct(&["a", "b", "a", "a"]), ["a", "b", "a:1", "a:2"]);
        assert_eq!(distinct(&["a", "a", "a:1", "a:1"]), ["a", "a:2", "a:1", "a:1:1"]);
        assert!(distinct(&[]).is_empty());
    }

    #[test]
    fn columns_of_one_name_get_aliases() {
        for (sql, expected) in [
            ("SELECT 1, 1", Some(r#"SELECT 1 AS "1", 1 AS "1:1""#)),
            ("SELECT a.X, x, y FROM a", Some(r#"SELECT a.X AS "x", x AS "x:1", y FROM a"#)),
            ("SELECT 1 AS a, 2 AS a", Some(r#"SELECT 1 AS "a", 2 AS "a:1""#)),
            (r#"SELECT "X", x FROM a"#, None),
            ("SELECT * FROM a", None),
            ("SHOW TABLES", None),
        ] {
            let mut statement = statements(sql).unwrap().pop_front().unwrap();
            assert_eq!(tell_apart(&mut statement), expected.is_some(), "{sql}");
            assert_eq!(statement.to_string(), expected.unwrap_or(sql));
        }
    }
}
