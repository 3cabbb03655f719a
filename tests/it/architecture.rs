//! Rules that the compiler does not know: one engine, and which module may use what.

use crate::support::{ROOT, files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// The versions of each package in the lock file.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in read("Cargo.lock").split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim_matches('"').to_owned()
        };
        packages.entry(field("name = ")).or_default().insert(field("version = "));
    }
    packages
}

#[test]
fn there_is_one_engine() {
    let packages = locked();
    let of_engine = |name: &str| {
        let is = |family: &str| name == family || name.starts_with(&format!("{family}-"));
        is("arrow") || is("datafusion") || is("parquet") || is("object_store")
    };
    let engine: Vec<_> = packages.iter().filter(|(name, _)| of_engine(name)).collect();
    let several: Vec<_> = engine.iter().filter(|(_, versions)| versions.len() != 1).collect();
    assert!(several.is_empty(), "{several:?}");
    for name in ["arrow", "arrow-array", "parquet", "datafusion", "datafusion-cli", "object_store"]
    {
        assert!(engine.iter().any(|(known, _)| *known == name), "{name}");
    }
}

/// Every module by its path below `src`, without comments.
fn modules() -> BTreeMap<String, String> {
    let names = files(&Path::new(ROOT).join("src"));
    let code = |name: &String| {
        let text = read(&format!("src/{name}"));
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    names.into_iter().map(|name| (name.clone(), code(&name))).collect()
}

/// Whether a text has a word, or a path of words.
fn mentions(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

/// The layers, lowest first: a module uses its own layer's files and the layers above it in this list,
/// never one below. Modules of one line do not use each other.
const LAYERS: &[&[&str]] = &[
    // Ground: no knowledge of log files or datasets.
    &["error", "json", "printable", "text", "times"],
    &["hash", "layout", "schema", "scope"],
    &["store"],
    // From a source to rows.
    &["log_file"],
    &["sources", "flatten"],
    &["redact", "rows"],
    // What is kept, and what makes it.
    &["part"],
    &["dataset"],
    &["compact", "convert", "catalog", "verify"],
    // What is asked of it.
    &["reader", "status", "integrity", "query"],
    &["cli"],
    &["main", "lib"],
];

/// The circles between files that are meant: an envelope holds forms, a form may hold an envelope.
const CIRCLES: &[[&str; 2]] = &[["log_file::envelope", "log_file::envelope::forms"]];

/// Words, and the only modules (with all that is in them) that may use them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("datafusion", &["query", "error", "cli::run", "lib"]),
    ("datafusion_cli", &["query::shell", "store"]),
    ("AmazonS3", &["store"]),
    ("datafusion_distributed", &["query::distributed"]),
    ("tonic", &["query::distributed"]),
    ("flate2", &["log_file::gzip", "dataset::segment"]),
    ("libdeflater", &["log_file::gzip"]),
    ("zstd::stream", &["log_file::decompress"]),
    ("tar::Archive", &["log_file::archive"]),
    ("zip::ZipArchive", &["log_file::archive"]),
    ("rayon", &["convert"]),
    ("pulp", &["json::simd"]),
    ("wide", &["json::simd", "json::tape"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!", &[]),
    ("eprint!", &[]),
    ("unsafe", &[]),
];

/// A module's name by its file's: `log_file/gzip.rs` is `log_file::gzip`.
fn module_name(file: &str) -> String {
    file.strip_suffix(".rs").unwrap().replace('/', "::")
}

/// Whether a module is another one, or in it.
fn is_in(module: &str, outer: &str) -> bool {
    module.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The code of a module without its tests: they may look further.
fn without_tests(code: &str) -> &str {
    code.split_once("#[cfg(test)]\nmod ").map_or(code, |(code, _)| code)
}

/// The paths that begin with `crate::`, each with every name of its braces: `crate::a::{b, c::d}` is
/// `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            expand(&code[at + found.len()..], "", &mut paths);
        }
    }
    paths
}

/// Expands one path, or all in its braces; gives back what follows it.
fn expand<'c>(mut code: &'c str, outer: &str, paths: &mut Vec<String>) -> &'c str {
    let mut path = outer.to_owned();
    loop {
        let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
        path.push_str(&code[..end]);
        code = &code[end..];
        let Some(rest) = code.strip_prefix("::") else { break };
        path.push_str("::");
        code = rest;
        if let Some(mut rest) = code.strip_prefix('{') {
            loop {
                rest = expand(rest.trim_start(), &path, paths).trim_start();
                match rest.strip_prefix(',') {
                    Some(more) if !more.trim_start().starts_with('}') => rest = more,
                    other => return other.unwrap_or(rest).trim_start().trim_start_matches('}'),
                }
            }
        }
    }
    let without_alias = code.trim_start().strip_prefix("as ").map_or(code, |rest| {
        let rest = rest.trim_start();
        rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
    });
    paths.push(path);
    without_alias
}

/// The module that a path is in: the longest beginning of it that is a file.
fn module_of<'m>(path: &str, modules: &'m BTreeMap<String, String>) -> Option<&'m str> {
    let mut path = path.trim_end_matches("::");
    loop {
        if let Some((name, _)) = modules.get_key_value(path) {
            return Some(name);
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Which module uses which, by their full paths.
fn uses(modules: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    let mut uses = BTreeSet::new();
    for (module, code) in modules {
        let code = without_tests(code);
        // `super::x` is a path, too: of the module around, or of its parents.
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        let code = code.replace("super::", &format!("crate::{parent}::"));
        let named = paths(&code);
        let named = named.iter().filter_map(|path| module_of(path, modules));
        uses.extend(
            named.filter(|used| used != module).map(|used| (module.clone(), used.to_owned())),
        );
    }
    uses
}

/// The module's line in [`LAYERS`].
fn layer(module: &str) -> usize {
    let top = module.split("::").next().unwrap();
    let at = LAYERS.iter().position(|modules| modules.contains(&top));
    at.unwrap_or_else(|| panic!("{top} is in no layer"))
}

fn by_module() -> BTreeMap<String, String> {
    modules().into_iter().map(|(file, code)| (module_name(&file), code)).collect()
}

#[test]
fn no_module_uses_a_layer_above_its_own() {
    let uses = uses(&by_module());
    let top = |module: &str| module.split("::").next().unwrap().to_owned();
    let broken: Vec<_> = uses
        .iter()
        .filter(|(module, used)| top(module) != top(used) && layer(module) <= layer(used))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(uses.len() > 300, "{}", uses.len());
    for sees in [("convert::worker", "log_file::archive"), ("log_file::scan", "scope")] {
        assert!(uses.contains(&(sees.0.to_owned(), sees.1.to_owned())), "{sees:?}");
    }
}

/// A module may use its parts, and a part what its parent offers to others; all else goes one way.
#[test]
fn files_use_each_other_one_way() {
    let uses = uses(&by_module());
    let related = |a: &str, b: &str| is_in(a, b) || is_in(b, a);
    // What each can reach without going through a parent or a part of its own.
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, used) in uses.iter().filter(|(a, b)| !related(a, b)) {
        reach.entry(module).or_default().insert(used);
    }
    loop {
        let mut grown = false;
        for module in reach.keys().copied().collect::<Vec<_>>() {
            let further: BTreeSet<_> = reach[module]
                .iter()
                .filter_map(|used| reach.get(used))
                .flatten()
                .copied()
                .collect();
            let known = reach.get_mut(module).unwrap();
            let before = known.len();
            known.extend(further);
            grown |= known.len() > before;
        }
        if !grown {
            break;
        }
    }
    let meant = |module: &str| CIRCLES.iter().flatten().any(|name| *name == module);
    let circles: Vec<_> = reach
        .iter()
        .filter(|(module, reached)| reached.contains(*module) && !meant(module))
        .map(|(module, _)| module)
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn words_are_used_where_they_belong() {
    let modules = by_module();
    let mut broken = Vec::new();
    for (word, only_in) in ONLY_IN {
        let mut used = only_in.is_empty(); // what nobody may use, nobody does
        for (module, _) in modules.iter().filter(|(_, code)| mentions(without_tests(code), word)) {
            used = true;
            if !only_in.iter().any(|outer| is_in(module, outer)) {
                broken.push(format!("{module} uses {word}"));
            }
        }
        assert!(used, "nobody uses {word}: is the rule still needed?");
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn paths_are_found_however_they_are_written() {
    let code = "use crate::a::{b, c::{self, D as E}, f}; let x = crate::g::h(1); $crate::no();";
    assert_eq!(paths(code), ["a::b", "a::c::self", "a::c::D", "a::f", "g::h"]);
}

/// Types that may have one name in several modules: Rust's own habits ask for it.
const SHARED_NAMES: &[&str] = &["Args"];

/// The names of the types that a module defines, but for those inside of functions and traits.
fn types(code: &str) -> impl Iterator<Item = &str> {
    without_tests(code).lines().filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.split_once(' ').filter(|(scope, _)| !scope.contains(' '))?.1,
            None => line,
        };
        let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
    })
}

#[test]
fn no_type_is_defined_twice() {
    let modules = by_module();
    let mut defined: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, code) in &modules {
        types(code).for_each(|name| defined.entry(name).or_default().push(module));
    }
    assert!(defined.len() > 250 && defined["Args"].len() > 5, "{}", defined.len());
    let twice: Vec<_> = defined
        .iter()
        .filter(|(name, modules)| modules.len() > 1 && !SHARED_NAMES.contains(name))
        .collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

/// The word says nothing: `new`, `parse`, `detect`, `from_config` do.
#[test]
fn no_function_is_called_of() {
    let modules = by_module();
    let named: Vec<_> = modules
        .iter()
        .filter(|(_, code)| ["fn of(", "fn of<"].iter().any(|sign| code.contains(sign)))
        .map(|(module, _)| module)
        .collect();
    assert!(named.is_empty(), "{named:#?}");
}

/// A newcomer finds the way by the folders, so none may grow too large.
#[test]
fn folders_are_small() {
    let modules = modules();
    let lines = |text: &String| text.lines().count();
    let all: usize = modules.values().map(lines).sum();
    let mut folders: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (file, code) in &modules {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let files = folders.entry(folder).or_default();
        files.0 += 1;
        let top = file.split(['/', '.']).next().unwrap();
        folders.entry(top).or_default().1 += lines(code);
    }
    for (folder, (files, lines)) in folders {
        let most = if folder.is_empty() { usize::MAX } else { 12 };
        assert!(files <= most, "{folder} has {files} files");
        assert!(lines * 100 <= all * 22, "{folder} has {lines} of {all} lines");
    }
}

#[test]
fn every_module_says_why_it_is_there() {
    for name in files(&Path::new(ROOT).join("src")) {
        assert!(read(&format!("src/{name}")).starts_with("//!"), "{name}");
    }
}

/// The tests that the invariants in `lib.rs` name in brackets, as a module and a test or a module.
#[test]
fn the_tests_of_the_invariants_are_there() {
    let docs = read("src/lib.rs");
    let promised: Vec<_> = docs
        .lines()
        .filter(|line| line.starts_with("//!"))
        .flat_map(|line| line.split("(`").skip(1))
        .filter_map(|rest| rest.split_once("`)"))
        .map(|(name, _)| name)
        .collect();
    assert!(promised.len() >= 7, "{promised:?}");
    for name in promised {
        let (module, test) = name.split_once("::").unwrap_or((name, ""));
        let code = read(&format!("tests/it/{module}.rs"));
        assert!(code.contains("#[test]") && code.contains(&format!("fn {test}")), "{name}");
    }
}
