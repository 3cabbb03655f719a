//! Finding many members of one JSON value in one walk.
//!
//! The tables of the flattening name members by dotted paths (`source.auth.type`). A [`PathTree`]
//! is such a table, compiled once; [`PathTree::find`] walks a value along it and skips what no path
//! asks for. It refuses to look inside lists: a path ends at the list, and whoever asked for it
//! reads the elements.

use crate::json::{Json, Names};

/// A path up to a list, and the member wanted of the list's objects: `secondarySources[].location`.
pub(crate) fn split_list(path: &'static str) -> (&'static str, Option<&'static str>) {
    path.split_once("[].").map_or((path, None), |(list, member)| (list, Some(member)))
}

/// A set of dotted paths, numbered in the order they were given.
#[derive(Debug)]
pub(crate) struct PathTree {
    root: PathNode,
    len: usize,
}

#[derive(Debug, Default)]
struct PathNode {
    name: &'static str,
    path: String,
    /// The numbers of the paths that end here.
    ends: Vec<usize>,
    children: Vec<Self>,
    /// The children's names; made when all are there.
    names: Names,
    /// The bit of [`FoundPaths::seen`] that stands for it, where it has children.
    bit: u64,
}

/// What one walk found.
#[derive(Debug)]
pub(crate) struct FoundPaths<'a, 't> {
    values: Vec<Option<Json<'a, 't>>>,
    /// A bit for each object on the way that was met.
    seen: u64,
    /// Paths on the way to a wanted member where something stands that is no object, and what.
    pub(crate) blocked: Vec<(&'t str, Json<'a, 't>)>,
}

impl<'a, 't> FoundPaths<'a, 't> {
    /// What was found at path number `path`.
    pub(crate) fn get(&self, path: usize) -> Option<Json<'a, 't>> {
        self.values.get(path).copied().flatten()
    }
}

impl PathTree {
    pub(crate) fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let mut tree = Self { root: PathNode::default(), len: 0 };
        for path in paths {
            let end = path.split('.').fold(&mut tree.root, PathNode::child);
            end.ends.push(tree.len);
            tree.len += 1;
        }
        tree.root.know_names(&mut 1);
        tree
    }

    /// Walks an object. With duplicate names the last member counts.
    pub(crate) fn find<'a, 't>(&'t self, object: Json<'a, 't>) -> FoundPaths<'a, 't> {
        let mut found = FoundPaths { values: vec![None; self.len], seen: 0, blocked: Vec::new() };
        self.root.walk(object, &mut found);
        found
    }
}

impl PathNode {
    fn child(&mut self, name: &'static str) -> &mut Self {
        let at = self.children.iter().position(|c| c.name == name).unwrap_or_else(|| {
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{name}", self.path);
            self.children.push(Self { name, path, ..Self::default() });
            self.children.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or made just above")]
        &mut self.children[at]
    }

    fn know_names(&mut self, bit: &mut u64) {
        self.names = Names::new(self.children.iter().map(|child| child.name));
        for child in &mut self.children {
            if !child.children.is_empty() {
                child.bit = *bit;
                // Those beyond 64 share the last: what was not found is forgotten once more.
                *bit = bit.checked_mul(2).unwrap_or(*bit);
            }
            child.know_names(bit);
        }
    }

    fn walk<'a, 't>(&'t self, object: Json<'a, 't>, found: &mut FoundPaths<'a, 't>) {
        for (name, value) in object.members() {
            let number = self.names.find(&name.text());
            if let Some(child) = number.and_then(|number| self.children.get(number)) {
                child.take(value, found);
            }
        }
    }

    fn take<'a, 't>(&'t self, value: Json<'a, 't>, found: &mut FoundPaths<'a, 't>) {
        self.set(Some(value), found);
        if self.children.is_empty() {
            return;
        }
        if found.seen & self.bit != 0 {
            // A member of the same name came before: nothing of it may stay.
            for child in &self.children {
                child.forget(found);
            }
            found.blocked.retain(|(path, _)| !self.covers(path));
        }
        found.seen |= self.bit;
        if value.is_object() {
            self.walk(value, found);
        } else if !value.is_null() && self.ends.is_empty() {
            found.blocked.push((&self.path, value));
        }
    }

    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'))
    }

    /// Sets what is at the paths that end here.
    fn set<'a, 't>(&self, value: Option<Json<'a, 't>>, found: &mut FoundPaths<'a, 't>) {
        for end in &self.ends {
            if let Some(slot) = found.values.get_mut(*end) {
                *slot = value;
            }
        }
    }

    fn forget(&self, found: &mut FoundPaths<'_, '_>) {
        self.set(None, found);
        for child in &self.children {
            child.forget(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::leaked;

    fn raw<'a>(found: &FoundPaths<'a, '_>, path: usize) -> Option<&'a str> {
        found.get(path).map(|value| value.raw())
    }

    #[test]
    fn members_are_found_by_path() {
        let tree = PathTree::new(["a.b", "a.c.d", "e", "a.b", "f"]);
        let found =
            tree.find(leaked(r#"{"x":{"a":1},"a":{"b":[1],"c":{"d":"v","z":0}},"f":null}"#));
        assert_eq!(raw(&found, 0), Some("[1]"));
        assert_eq!(raw(&found, 1), Some("\"v\""));
        assert_eq!(raw(&found, 2), None);
        assert_eq!(raw(&found, 3), Some("[1]"));
        assert_eq!(raw(&found, 4), Some("null"));
        assert_eq!(raw(&found, 9), None);
        assert!(found.blocked.is_empty());
    }

    #[test]
    fn what_blocks_the_way_is_named() {
        let tree = PathTree::new(["a.b.c", "d"]);
        let found = tree.find(leaked(r#"{"a":{"b":"HIDDEN"}}"#));
        let blocked: Vec<_> =
            found.blocked.iter().map(|(path, value)| (*path, value.raw())).collect();
        assert_eq!(blocked, [("a.b", "\"HIDDEN\"")]);
        assert!(tree.find(leaked(r#"{"a":null}"#)).blocked.is_empty());
    }

    #[test]
    fn the_last_of_duplicate_members_counts() {
        let tree = PathTree::new(["a.b", "a.c"]);
        let found = tree.find(leaked(r#"{"a":{"b":1},"a":"x","a":{"c":2}}"#));
        assert_eq!((raw(&found, 0), raw(&found, 1)), (None, Some("2")));
        assert!(found.blocked.is_empty());
    }
}
