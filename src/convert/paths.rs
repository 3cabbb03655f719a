//! Finding many members of one JSON text in one walk.
//!
//! The tables of the flattening name members by dotted paths (`source.auth.type`). A [`PathTree`]
//! is such a table, compiled once; [`PathTree::find`] walks a text along it and skips what no path
//! asks for. It refuses to look inside lists: a path ends at the list, and whoever asked for it
//! reads the elements.

use crate::json::{Members, unescape};

/// A path up to a list, and the member wanted of the list's objects: `secondarySources[].location`.
pub(crate) fn split_list(path: &'static str) -> (&'static str, Option<&'static str>) {
    path.split_once("[].").map_or((path, None), |(list, member)| (list, Some(member)))
}

/// A set of dotted paths, numbered in the order they were given.
#[derive(Debug)]
pub(crate) struct PathTree {
    root: Node,
    len: usize,
}

#[derive(Debug, Default)]
struct Node {
    name: &'static str,
    path: String,
    /// The numbers of the paths that end here.
    ends: Vec<usize>,
    children: Vec<Self>,
}

/// What one walk found.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    values: Vec<Option<&'a str>>,
    /// Paths on the way to a wanted member where something that is no object stands, with its
    /// text.
    pub(crate) blocked: Vec<(&'a str, &'a str)>,
}

impl<'a> Found<'a> {
    /// The text found at path number `path`.
    pub(crate) fn get(&self, path: usize) -> Option<&'a str> {
        self.values.get(path).copied().flatten()
    }
}

impl PathTree {
    pub(crate) fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let mut tree = Self { root: Node::default(), len: 0 };
        for path in paths {
            let end = path.split('.').fold(&mut tree.root, Node::child);
            end.ends.push(tree.len);
            tree.len += 1;
        }
        tree
    }

    /// Walks the object `text`. With duplicate names the last member counts.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> Found<'a> {
        let mut found = Found { values: vec![None; self.len], blocked: Vec::new() };
        self.root.walk(text, &mut found);
        found
    }
}

impl Node {
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

    fn walk<'a>(&'a self, text: &'a str, found: &mut Found<'a>) {
        for (name, value) in Members::of(text) {
            let name = unescape(name);
            if let Some(child) = self.children.iter().find(|child| child.name == name) {
                child.take(value, found);
            }
        }
    }

    fn take<'a>(&'a self, value: &'a str, found: &mut Found<'a>) {
        self.set(Some(value), found);
        if self.children.is_empty() {
            return;
        }
        // A member of the same name may have come before: nothing of it may stay.
        for child in &self.children {
            child.forget(found);
        }
        found.blocked.retain(|(path, _)| !self.covers(path));
        if value.starts_with('{') {
            self.walk(value, found);
        } else if value != "null" && self.ends.is_empty() {
            found.blocked.push((&self.path, value));
        }
    }

    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'))
    }

    fn set<'a>(&self, value: Option<&'a str>, found: &mut Found<'a>) {
        for end in &self.ends {
            if let Some(slot) = found.values.get_mut(*end) {
                *slot = value;
            }
        }
    }

    fn forget(&self, found: &mut Found<'_>) {
        self.set(None, found);
        for child in &self.children {
            child.forget(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_path() {
        let tree = PathTree::new(["a.b", "a.c.d", "e", "a.b", "f"]);
        let found = tree.find(r#"{"x":{"a":1},"a":{"b":[1],"c":{"d":"v","z":0}},"f":null}"#);
        assert_eq!(found.get(0), Some("[1]"));
        assert_eq!(found.get(1), Some("\"v\""));
        assert_eq!(found.get(2), None);
        assert_eq!(found.get(3), Some("[1]"));
        assert_eq!(found.get(4), Some("null"));
        assert_eq!(found.get(9), None);
        assert!(found.blocked.is_empty());
    }

    #[test]
    fn what_blocks_the_way_is_named() {
        let tree = PathTree::new(["a.b.c", "d"]);
        assert_eq!(tree.find(r#"{"a":{"b":"HIDDEN"}}"#).blocked, [("a.b", "\"HIDDEN\"")]);
        assert!(tree.find(r#"{"a":null}"#).blocked.is_empty());
    }

    #[test]
    fn the_last_of_duplicate_members_counts() {
        let tree = PathTree::new(["a.b", "a.c"]);
        let found = tree.find(r#"{"a":{"b":1},"a":"x","a":{"c":2}}"#);
        assert_eq!((found.get(0), found.get(1)), (None, Some("2")));
        assert!(found.blocked.is_empty());
    }
}
