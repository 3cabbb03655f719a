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

/// Words, and where they must not be.
type Rule<'r> = (&'r [&'r str], &'r dyn Fn(&str) -> bool);

#[test]
fn modules_keep_to_themselves() {
    let in_convert = |module: &str| module == "convert.rs" || module.starts_with("convert/");
    let in_query = |module: &str| module == "query.rs" || module.starts_with("query/");
    let contract = |module: &str| ["schema.rs", "layout.rs"].contains(&module);
    let in_cli = |module: &str| module == "cli.rs" || module.starts_with("cli/");
    let in_catalog = |module: &str| module.starts_with("catalog");
    let in_integrity = |module: &str| module.starts_with("integrity");
    let rules: &[Rule<'_>] = &[
        (
            &[
                "crate::convert",
                "crate::query",
                "crate::part",
                "clap",
                "parquet::arrow",
                "parquet::file",
                "datafusion",
                "std::fs",
            ],
            &in_catalog,
        ),
        (&["crate::catalog"], &|module| !in_cli(module) && !in_catalog(module)),
        (&["crate::convert", "crate::dataset", "crate::query", "clap"], &in_integrity),
        (&["crate::integrity"], &|module| !in_cli(module) && !in_integrity(module)),
        (&["datafusion_cli", "AmazonS3"], &|module| {
            module != "store.rs" && !module.starts_with("query/shell")
        }),
        (&["datafusion_distributed", "tonic"], &|module| !module.starts_with("query/distributed")),
        (&["crate::query", "super::query", "datafusion", "clap"], &in_convert),
        (&["crate::convert", "super::convert", "rayon", "serde_json::from_str"], &in_query),
        (&["clap", "serde_json", "parquet", "datafusion", "rayon", "std::fs"], &contract),
        (&["crate::convert", "crate::query", "crate::dataset", "crate::cli"], &contract),
        (&["crate::cli"], &|module| !in_cli(module)),
        (&["flate2"], &|module| {
            !["convert/inflate.rs", "dataset/segment.rs", "integrity/files.rs"].contains(&module)
        }),
        (&["tar::Archive", "zip::ZipArchive"], &|module| module != "convert/archive.rs"),
        (&["rayon"], &|module| !["convert.rs", "convert/merge.rs"].contains(&module)),
        (&["pulp"], &|module| module != "json/lanes.rs"),
        (&["wide"], &|module| !["json/lanes.rs", "json/tape.rs"].contains(&module)),
        (&["println", "eprintln", "print", "eprint"], &|_| true),
        (&["unsafe"], &|_| true),
    ];
    let modules = modules();
    let mut broken = Vec::new();
    for (words, forbidden) in rules {
        let applies: Vec<_> = modules.iter().filter(|(module, _)| forbidden(module)).collect();
        assert!(!applies.is_empty(), "no module for {words:?}");
        for (module, code) in applies {
            let found = words.iter().filter(|word| mentions(code, word));
            broken.extend(found.map(|word| format!("{module} uses {word}")));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    // What the rules look for can be found.
    assert!(mentions(&modules["convert/inflate.rs"], "flate2"));
    assert!(mentions(&modules["convert.rs"], "rayon"));
    assert!(mentions(&modules["query.rs"], "datafusion"));
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
