//! The tests that SPEC.md, "Threat model", names are there.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// Every Rust file below a folder.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_test_that_the_threat_model_names_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = std::fs::read_to_string(root.join("SPEC.md")).unwrap();
        let section =
            text.split("\n## ").find(|section| section.lines().next().is_some_and(|title| title.ends_with("Threat model"))).unwrap();
        let mut files = Vec::new();
        sources(&root.join("crates"), &mut files);
        let code: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let names: Vec<&str> = section
            .split("\nShown by ")
            .skip(1)
            .filter_map(|shown| shown.split("\n\n").next())
            .flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
            .collect();
        assert!(names.len() > 40, "{}", names.len());
        let is_there = |name: &&str| ["", "    "].iter().any(|indent| code.contains(&format!("#[test]\n{indent}fn {name}()")));
        let missing: Vec<_> = names.into_iter().filter(|name| !is_there(name)).collect();
        assert!(missing.is_empty(), "no test {missing:?}");
        // What is no function is a file.
        for file in section.split('`').filter(|name| name.starts_with("tests/")) {
            assert!(root.join(file).is_file(), "no file {file}");
        }
    }
}
