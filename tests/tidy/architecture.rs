//! The floor plan of `src/`: which file may import which, no circles, one door to threads. And no line wider than the
//! page.
//!
//! It reads every path in the code, follows re-exports to the file that defines the name, and compares the graph with
//! the lists below. A parent module and its child may import each other.
//!
//! Checks: P12

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::tokens;

/// The floors, lowest first. A file may import from its own floor and from lower ones. The longest prefix that fits
/// decides: `machine/explore` is above `machine`.
const FLOORS: &[&str] = &[
    "exclusive",
    "thread_value",
    "failure",
    "error",
    "histogram",
    "sync",
    "machine",
    "machine/explore",
    "runtime/cache_padded",
    "runtime/deadline",
    "runtime/job_label",
    "runtime/reactor_thread",
    "runtime/report",
    "runtime/wake_hook",
    "runtime/typed_queue",
    "runtime/segment_list",
    "runtime/inbox",
    "runtime/oneshot",
    "runtime/deferred",
    "runtime/coordination",
    "runtime/pool",
    "runtime/reactor",
    "runtime/task",
    "runtime/threads",
    "runtime/testing",
    "runtime",
    "std_build",
    "loom",
    "guide",
    "lib",
];

/// Folders whose files still import each other in circles.
const CIRCLES: &[&str] = &[];

/// Files that still import from a higher floor: the importing file, and the imported one.
const UPWARD: &[(&str, &str)] = &[];

/// Files outside `sync` that use `std::sync`, `std::thread` or loom, and why they may.
const BESIDE_THE_DOOR: &[(&str, &str)] = &[
    ("error/pool", "an `Arc` makes an `io::Error` cloneable; error types are the same over std and over loom"),
    ("exclusive", "a mutex that is never locked makes what it holds `Sync`, over std and over loom"),
    ("loom/model", "it counts and explores executions, around the model and not in it"),
    ("failure", "`panicking` starts no thread: a panic is not resumed on a thread that unwinds"),
    ("failure/shared", "an `Arc` makes a failure cloneable; error types are the same over std and over loom"),
];

/// Files and folders that still have lines wider than `WIDTH`.
const WIDE: &[&str] = &[];

const WIDTH: usize = 120;

const MEASURED: &[&str] =
    &["src", "tests", "proptests", "examples", "fuzz/fuzz_targets", "proofs/src", "schedules/src"];
const MEASURED_PAGES: &[&str] = &["docs", "src/guide"];
const PAGES: &[&str] = &["README.md", "SPEC.md", "CONTRIBUTING.md", "CHANGELOG.md"];

#[test]
fn no_circle_of_files_and_no_arrow_to_a_higher_floor() {
    let sources = Sources::read();
    let edges = sources.edges();
    let mut problems = Vec::new();
    let circles = circles(&edges);
    let excuse = |circle: &[String]| CIRCLES.iter().find(|folder| circle.iter().all(|file| file.starts_with(**folder)));
    for circle in circles.iter().filter(|circle| excuse(circle).is_none()) {
        problems.push(format!("these import each other in a circle: {}", circle.join(", ")));
    }
    for folder in CIRCLES.iter().filter(|folder| !circles.iter().any(|circle| excuse(circle) == Some(folder))) {
        problems.push(format!("{folder} has no circle any more: take it off the list"));
    }
    let upward: BTreeSet<_> = edges.iter().filter(|(from, to)| floor(from) < floor(to)).collect();
    for (from, to) in &upward {
        if !UPWARD.contains(&(from.as_str(), to.as_str())) {
            problems.push(format!("{from} imports from {to}, which is on a higher floor"));
        }
    }
    for (from, to) in UPWARD {
        if !upward.iter().any(|edge| (edge.0.as_str(), edge.1.as_str()) == (*from, *to)) {
            problems.push(format!("{from} does not import from {to} any more: take it off the list"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn only_sync_names_the_threads_of_std_and_of_loom() {
    let mut problems = Vec::new();
    let mut beside = BTreeSet::new();
    let sources = Sources::read();
    for (name, file) in &sources.files {
        let beside_the_door = file.paths.iter().any(|(_, path)| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            matches!(path.as_slice(), ["std", "sync" | "thread", ..] | ["loom", ..])
        });
        if beside_the_door && floor(name) != floor("sync") && !name.starts_with("machine/explore") {
            beside.insert(name.as_str());
        }
    }
    for name in &beside {
        if !BESIDE_THE_DOOR.iter().any(|(known, _)| known == name) {
            problems.push(format!("{name} uses threads or locks without going through `sync`"));
        }
    }
    for (known, _) in BESIDE_THE_DOOR.iter().filter(|(known, _)| !beside.contains(known)) {
        problems.push(format!("{known} goes through `sync` now: take it off the list"));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn no_line_is_wider_than_the_page() {
    let mut problems = Vec::new();
    let mut excused = BTreeSet::new();
    let sources = MEASURED.iter().flat_map(|folder| files(&root().join(folder), "rs"));
    let pages = MEASURED_PAGES.iter().flat_map(|folder| files(&root().join(folder), "md"));
    for file in sources.chain(pages).chain(PAGES.iter().map(|page| root().join(page))) {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        let wide: Vec<usize> = (text.lines().zip(1..))
            .filter(|(line, _)| line.chars().count() > WIDTH && !is_table_row(line))
            .map(|(_, number)| number)
            .collect();
        if wide.is_empty() {
            continue;
        }
        match WIDE.iter().find(|known| name.starts_with(**known)) {
            Some(known) => drop(excused.insert(*known)),
            None => problems.push(format!("{name}: wider than {WIDTH}: {wide:?}")),
        }
    }
    for known in WIDE.iter().filter(|known| !excused.contains(*known)) {
        problems.push(format!("{known} has no wide line any more: take it off the list"));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// A row of a table cannot be broken.
fn is_table_row(line: &str) -> bool {
    line.trim_start().trim_start_matches("//!").trim_start_matches("///").trim_start().starts_with('|')
}

fn floor(file: &str) -> usize {
    let fits = |prefix: &str| file == prefix || file.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    let found = (FLOORS.iter().enumerate()).filter(|(_, prefix)| fits(prefix)).max_by_key(|(_, prefix)| prefix.len());
    found.unwrap_or_else(|| panic!("{file} stands on no floor: add it to FLOORS")).0
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(files(&path, kind));
        } else if path.extension().is_some_and(|extension| extension == kind) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A module's path from the crate's root. The runtime and `sync` are compiled twice, by `#[path]`; here they stand at
/// the root once.
type Module = Vec<String>;

/// All files of `src/`, each named by its module's path with slashes.
struct Sources {
    files: BTreeMap<String, File>,
    /// The file of each module, modules inside a file included.
    modules: BTreeMap<Module, String>,
    /// What each module imports: the name it has there, and its path.
    imports: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

#[derive(Default)]
struct File {
    /// Every path in its code, with the module that it stands in.
    paths: Vec<(Module, Vec<String>)>,
}

impl Sources {
    fn read() -> Self {
        let mut sources = Self { files: BTreeMap::new(), modules: BTreeMap::new(), imports: BTreeMap::new() };
        let src = root().join("src");
        for path in files(&src, "rs") {
            let relative = path.strip_prefix(&src).unwrap().with_extension("");
            let mut module: Module =
                relative.iter().map(|part| part.to_str().unwrap().to_owned()).filter(|part| part != "mod").collect();
            let in_sync = module.first().is_some_and(|first| first == "sync");
            if module == ["sync", "std"] || module == ["sync", "loom"] {
                // The same module in the two builds.
                module.truncate(1);
            }
            if module == ["lib"] {
                module.clear();
            }
            let name = match in_sync {
                // A file of one floor, whatever its parts import from each other.
                true => "sync".to_owned(),
                false if module.is_empty() => "lib".to_owned(),
                false => module.join("/"),
            };
            if name.ends_with("tests") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            sources.modules.insert(module.clone(), name.clone());
            sources.files.entry(name.clone()).or_default();
            sources.parse(&name, module, &tokens(text));
        }
        for build in ["std_build", "loom"] {
            let names = ["sync", "runtime"].map(|name| (name.to_owned(), vec!["crate".to_owned(), name.to_owned()]));
            sources.imports.entry(vec![build.to_owned()]).or_default().extend(names);
        }
        sources
    }

    fn parse(&mut self, file: &str, module: Module, tokens: &[String]) {
        let mut stack = vec![(module, usize::MAX)];
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let here = stack.last().unwrap().0.clone();
            match token.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if stack.last().is_some_and(|(_, opened)| *opened == depth) {
                        stack.pop();
                    }
                }
                "mod" if tokens.get(at + 2).is_some_and(|next| next == "{") => {
                    let inner: Module = here.iter().cloned().chain([tokens[at + 1].clone()]).collect();
                    self.modules.insert(inner.clone(), file.to_owned());
                    stack.push((inner, depth));
                    at += 1;
                }
                "use" => {
                    let end = at + tokens[at..].iter().position(|token| token == ";").unwrap();
                    let mut leaves = Vec::new();
                    use_tree(&tokens[at + 1..end], &mut Vec::new(), &mut leaves);
                    for (name, path) in leaves {
                        self.note(file, &here, &path);
                        self.imports.entry(here.clone()).or_default().insert(name, path);
                    }
                    at = end;
                }
                word if is_word(word) && tokens.get(at + 1).is_some_and(|next| next == "::") => {
                    let mut path = vec![token.clone()];
                    while tokens.get(at + 1).is_some_and(|next| next == "::")
                        && tokens.get(at + 2).is_some_and(|next| is_word(next))
                    {
                        path.push(tokens[at + 2].clone());
                        at += 2;
                    }
                    self.note(file, &here, &path);
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn note(&mut self, file: &str, module: &Module, path: &[String]) {
        self.files.get_mut(file).unwrap().paths.push((module.clone(), path.to_vec()));
    }

    /// Which file imports from which. Parents and children are left out.
    fn edges(&self) -> BTreeSet<(String, String)> {
        let mut edges = BTreeSet::new();
        for (name, file) in &self.files {
            for (module, path) in &file.paths {
                if let Some(Found::Item(to)) = self.find(module, path, 0)
                    && to != *name
                    && parent(&to) != name
                    && parent(name) != to
                {
                    edges.insert((name.clone(), to));
                }
            }
        }
        edges
    }

    /// What a path that stands in `module` names. `depth` bounds imports of imports.
    fn find(&self, module: &Module, path: &[String], depth: usize) -> Option<Found> {
        let mut current = module.clone();
        for (n, name) in path.iter().enumerate() {
            let next: Module = current.iter().cloned().chain([name.clone()]).collect();
            match name.as_str() {
                "crate" => current.clear(),
                "self" => {}
                "super" => drop(current.pop()),
                _ if self.modules.contains_key(&next) => current = next,
                _ => {
                    let imported = self.imports.get(&current).and_then(|imports| imports.get(name));
                    let to = imported.filter(|_| depth < 20).filter(|to| **to != path[n..]);
                    match to.and_then(|to| self.find(&current, to, depth + 1)) {
                        Some(Found::Module(to)) => current = to,
                        Some(item) => return Some(item),
                        // A first name that is neither a module nor imported belongs to another crate, or to this file.
                        None if n == 0 || imported.is_some() => return None,
                        None => return self.modules.get(&current).cloned().map(Found::Item),
                    }
                }
            }
        }
        Some(Found::Module(current))
    }
}

enum Found {
    Module(Module),
    /// The file that defines the item.
    Item(String),
}

fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("lib", |(parent, _)| parent)
}

/// The strongly connected components of more than one file, each sorted.
fn circles(edges: &BTreeSet<(String, String)>) -> Vec<Vec<String>> {
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _) in edges {
        let mut left = vec![from.as_str()];
        let seen = reach.entry(from).or_default();
        while let Some(file) = left.pop() {
            for (_, to) in edges.iter().filter(|(start, _)| start == file) {
                if seen.insert(to) {
                    left.push(to);
                }
            }
        }
    }
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|seen| seen.contains(to));
    let mut found = BTreeSet::new();
    for from in reach.keys().filter(|file| reaches(file, file)) {
        let circle = reach.keys().filter(|to| reaches(from, to) && reaches(to, from));
        found.insert(circle.map(|file| (*file).to_owned()).collect::<Vec<_>>());
    }
    found.into_iter().collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The names that a `use` brings in, each with its path.
fn use_tree(tokens: &[String], prefix: &mut Vec<String>, leaves: &mut Vec<(String, Vec<String>)>) {
    let mut at = 0;
    let depth = prefix.len();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                let mut open = 0;
                let close = at
                    + tokens[at..]
                        .iter()
                        .position(|token| {
                            open += i32::from(token == "{") - i32::from(token == "}");
                            open == 0
                        })
                        .unwrap();
                let base = prefix.clone();
                let mut start = at + 1;
                let mut open = 0;
                for end in at + 1..=close {
                    open += i32::from(tokens[end] == "{") - i32::from(tokens[end] == "}");
                    if open < 0 || (open == 0 && tokens[end] == ",") {
                        let mut inner = base.clone();
                        use_tree(&tokens[start..end], &mut inner, leaves);
                        start = end + 1;
                    }
                }
                return;
            }
            "as" => {
                leaves.push((tokens[at + 1].clone(), prefix.clone()));
                return;
            }
            "self" if at == 0 && depth > 0 => {}
            "::" | "*" => {}
            word => prefix.push(word.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = prefix.last().filter(|_| !tokens.is_empty()) {
        leaves.push((name.clone(), prefix.clone()));
    }
}
