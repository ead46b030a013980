//! Walks through graphs that are meant to mislead them, or never to end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_oci::copy::{Options, copy, tagged};
use touchmark_oci::graph::{Content, Graph, Limits, Relation, cosign_subject};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::FindingKind;
use touchmark_oci::{Class, Error, Layout, Source, Store};

#[path = "support/family.rs"]
mod family;
#[path = "support/remote.rs"]
mod remote;
mod support;
use family::{family, tree};
use remote::Remote;
use support::{Folder, Foreign, entry, image, referrer_manifest};

fn walk(source: &dyn Source, root: &Descriptor, limits: &Limits) -> Graph {
    Graph::walk(source, std::slice::from_ref(root), limits).unwrap()
}

fn kinds(graph: &Graph) -> Vec<FindingKind> {
    graph.findings().iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_tree_has_every_node_under_what_it_belongs_to() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let family = family(&layout);
    let graph = walk(&layout, &family.index, &Limits::default());
    let lines = graph.lines();
    let depths: Vec<usize> = lines.iter().map(|line| line.depth).collect();
    // The index; the first child, its signature, its attestation with two more below; the second child, its signature and
    // cosign's; the signature of the index.
    assert_eq!(depths, [0, 1, 2, 2, 3, 4, 1, 2, 2, 1], "{:#?}", tree(&layout, &family.index));
    assert!(lines.iter().all(|line| !line.repeated));
    assert!(matches!(&lines[8].relation, Some(Relation::CosignTag(tag)) if cosign_subject(tag) == Some(family.children[1].digest)));
    assert_eq!(graph.node(lines[1].node).descriptor.platform.as_ref().unwrap().to_string(), "linux/amd64");
}

#[test]
fn tags_of_cosign() {
    let hex = Algorithm::Sha256.digest(b"").hex();
    for suffix in ["sig", "att", "sbom"] {
        assert_eq!(cosign_subject(&format!("sha256-{hex}.{suffix}")), Some(Algorithm::Sha256.digest(b"")));
    }
    for tag in [
        format!("sha256-{hex}"),
        format!("sha256-{hex}.x"),
        format!("sha256-{}.sig", &hex[1..]),
        format!("sha1-{hex}.sig"),
        "a.sig".to_owned(),
    ] {
        assert_eq!(cosign_subject(&tag), None, "{tag}");
    }
}

#[test]
fn an_index_that_lists_itself_is_not_read_as_itself() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    // No document can hold its own digest; one stored under another name can pretend to.
    let pretended = Algorithm::Sha256.digest(b"pretended");
    let inner = Descriptor::new(IMAGE_INDEX, pretended, 1);
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entry(&inner, ""));
    std::fs::write(folder.path("layout/blobs/sha256").join(pretended.hex()), &text).unwrap();
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry(&inner, "")));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let graph = walk(&layout, &inner, &Limits::default());
    assert_eq!(graph.nodes().count(), 1);
    let Content::Unusable(error) = &graph.node(graph.roots()[0]).content else { unreachable!() };
    assert_eq!(error.class(), Class::WrongDigest);
    // index.json itself, as a child of what it lists.
    let index = std::fs::read(folder.path("layout/index.json")).unwrap();
    let outer = Descriptor::new(IMAGE_INDEX, foreign.blob(&index), index.len().try_into().unwrap());
    let graph = walk(&layout, &outer, &Limits::default());
    assert_eq!(graph.nodes().count(), 2);
}

#[test]
fn tags_that_go_in_a_circle_end() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let (one, two) = (image(&layout, "one", Some("one")), image(&layout, "two", None));
    let of = |subject: &Descriptor| format!("sha256-{}.sig", subject.digest.hex());
    image(&layout, "two", Some(&of(&one)));
    image(&layout, "one", Some(&of(&two)));
    image(&layout, "one", Some(&format!("sha256-{}.att", one.digest.hex())));
    let graph = walk(&layout, &one, &Limits::default());
    assert_eq!(graph.nodes().count(), 2);
    let lines: Vec<(usize, bool)> = graph.lines().iter().map(|line| (line.depth, line.repeated)).collect();
    assert_eq!(lines, [(0, false), (1, false), (2, true), (1, true)]);
    // And are copied as they are.
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    assert!(copy(&layout, &tagged(&layout, Some("one")).unwrap(), &to, &Options::default()).unwrap().is_whole());
    assert_eq!(to.tags().unwrap().len(), 4);
}

#[test]
fn a_chain_of_referrers_ends_at_the_limit() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let mut last = artifact.clone();
    for _ in 0..40 {
        last = referrer::attach(&layout, &last, b"{}", &Role::Signature).unwrap().descriptor;
    }
    let graph = walk(&layout, &artifact, &Limits::default());
    assert!(!graph.complete());
    assert_eq!((graph.nodes().count(), kinds(&graph)), (33, vec![FindingKind::Stopped]));
    let graph = walk(&layout, &artifact, &Limits { depth: 40, ..Limits::default() });
    assert!(graph.complete() && graph.nodes().count() == 41);
    let graph = walk(&layout, &artifact, &Limits { depth: 40, manifests: 7, ..Limits::default() });
    assert!(!graph.complete() && graph.nodes().count() == 7);
    let graph = walk(&layout, &artifact, &Limits { depth: 40, bytes: 2000, ..Limits::default() });
    assert!(!graph.complete() && graph.nodes().count() < 7);
    let graph = walk(&layout, &artifact, &Limits { depth: 40, referrers: 3, ..Limits::default() });
    assert!(!graph.complete());
    // A copy says that it is not the whole.
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let report = copy(&layout, &tagged(&layout, None).unwrap(), &to, &Options::default()).unwrap();
    assert_eq!((report.is_whole(), report.class()), (false, Some(Class::Cap)));
}

#[test]
fn what_lists_claim_is_compared_with_the_content() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let (subject, other) = (foreign.image("subject"), foreign.image("other"));
    let honest = foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, "honest"));
    let stolen = foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&other, "stolen"));
    // A media type that hides a referrer from whoever believes it.
    let hidden =
        Descriptor { media_type: "text/plain".to_owned(), ..foreign.manifest(IMAGE_MANIFEST, &referrer_manifest(&subject, "hidden")) };
    foreign.blob("{}");
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{},{},{},{}]}}"#,
        entry(&hidden, ""),
        entry(&stolen, r#","artifactType":"application/vnd.touchmark.signature.v1+json""#),
        entry(&other, ""),
        entry(&honest, "")
    );
    let list = foreign.manifest(IMAGE_INDEX, &list);
    let tag = |tag: &str| format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#);
    foreign.index(&format!(
        r#"{{"schemaVersion":2,"manifests":[{},{},{}]}}"#,
        entry(&subject, &tag("v1")),
        entry(&list, &tag(&format!("sha256-{}", subject.digest.hex()))),
        entry(&other, &tag("other"))
    ));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let graph = walk(&layout, &subject, &Limits::default());
    let found: Vec<_> = graph.node(graph.roots()[0]).edges.iter().map(|edge| graph.node(edge.target).descriptor.clone()).collect();
    let digests: Vec<_> = found.iter().map(|descriptor| descriptor.digest).collect();
    assert_eq!(digests.len(), 2);
    assert!(digests.contains(&hidden.digest) && digests.contains(&honest.digest));
    // What a node says of itself is what its bytes say.
    assert!(found.iter().all(|descriptor| descriptor.media_type == IMAGE_MANIFEST));
    // The stolen one stands where it belongs, with its own type.
    let graph = walk(&layout, &other, &Limits::default());
    let stolen_node = graph.node(graph.node(graph.roots()[0]).edges[0].target);
    assert_eq!(
        (stolen_node.descriptor.digest, stolen_node.descriptor.artifact_type.as_deref()),
        (stolen.digest, Some("application/x-stolen"))
    );
}

#[test]
fn children_whose_size_or_type_is_another_are_found() {
    let folder = Folder::new();
    let foreign = Foreign::new(folder.path("layout"));
    let child = foreign.image("child");
    let blob = Descriptor::new("text/plain", foreign.blob("just text"), 9);
    let wrong = Descriptor { size: child.size + 1, ..child.clone() };
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{},{},{}]}}"#, entry(&wrong, ""), entry(&blob, ""), entry(&blob, ""));
    let index = foreign.manifest(IMAGE_INDEX, &text);
    foreign.index(&format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry(&index, "")));
    let layout = Layout::open(folder.path("layout")).unwrap();
    let graph = walk(&layout, &index, &Limits::default());
    assert_eq!(kinds(&graph), [FindingKind::Malformed]);
    // The same blob twice is one node below the index; that it is no manifest is no fault.
    assert_eq!(graph.lines().len(), 3);
    assert!(matches!(graph.node(graph.lines()[2].node).content, Content::Opaque));
    let to = Layout::open_or_create(folder.path("to")).unwrap();
    let items = [touchmark_oci::copy::Item { descriptor: index, tag: None }];
    let report = copy(&layout, &items, &to, &Options::default()).unwrap();
    assert!(report.is_whole() && report.findings.len() == 1, "{report:?}");
    assert_eq!(Source::size(&to, &blob.digest).unwrap(), Some(9));
}

#[test]
fn a_gigabyte_in_place_of_a_manifest_or_an_index_is_refused_unread() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let artifact = image(&layout, "one", Some("v1"));
    let huge = |path: &str| {
        let file = std::fs::OpenOptions::new().write(true).open(folder.path("layout").join(path)).unwrap();
        file.set_len(1 << 30).unwrap();
    };
    huge(&format!("blobs/sha256/{}", artifact.digest.hex()));
    let graph = walk(&layout, &artifact, &Limits::default());
    let Content::Unusable(error) = &graph.node(graph.roots()[0]).content else { unreachable!() };
    assert!(matches!(error, Error::TooLarge { size, .. } if *size == 1 << 30), "{error}");
    huge("index.json");
    assert_eq!(layout.tags().unwrap_err().class(), Class::Cap);
}

#[test]
fn a_registry_is_walked_level_by_level_and_gives_the_same_graph() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let family = family(&layout);
    let before = tree(&layout, &family.index);
    let signature = format!("sha256-{}.sig", family.children[1].digest.hex());
    for lists_tags in [true, false] {
        let mut remote = Remote::new(layout.clone());
        remote.lists_tags = lists_tags;
        assert_eq!(tree(&remote, &family.index), before);
        // The root; children and its signature; theirs; the attestation's; and what signs that.
        assert_eq!(remote.rounds.into_inner(), 5);
        let resolved = remote.resolved.into_inner().unwrap();
        // Where tags are listed only those that are there are asked for, else three for each manifest.
        assert!(resolved.contains(&signature));
        assert_eq!(resolved.len(), if lists_tags { 1 } else { 10 * 3 });
    }
}

#[test]
fn what_is_missing_or_too_large_to_be_fetched_ahead_is_met_in_its_turn() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    // Every tenth is larger than what is fetched ahead.
    let padding = |n: usize| " ".repeat(if n % 10 == 3 { 300 << 10 } else { 0 });
    let made: Vec<String> =
        (0..40).map(|n| referrer_manifest(&subject, &n.to_string()).replacen('{', &format!("{{{}", padding(n)), 1)).collect();
    let made: Vec<&[u8]> = made.iter().map(String::as_bytes).collect();
    let made: Vec<Digest> =
        layout.attach_as(Algorithm::Sha256, &made).unwrap().into_iter().map(|attached| attached.descriptor.digest).collect();
    let gone = made[17];
    std::fs::remove_file(folder.path("layout/blobs/sha256").join(gone.hex())).unwrap();
    let remote = Remote::new(layout);
    let graph = Graph::walk(&remote, std::slice::from_ref(&subject), &Limits::default()).unwrap();
    let listed: Vec<Digest> = graph.nodes().map(|(_, node)| node.descriptor.digest).skip(1).collect();
    let mut sorted = made.clone();
    sorted.sort_unstable();
    assert_eq!(listed, sorted);
    let unusable = graph.nodes().filter(|(_, node)| matches!(node.content, Content::Unusable(_)));
    assert_eq!(unusable.map(|(_, node)| node.descriptor.digest).collect::<Vec<_>>(), [gone]);
    assert!(remote.rounds.into_inner() < 12);
    // Limits are those of any walk.
    let few =
        Graph::walk(&Remote::new(Layout::open(folder.path("layout")).unwrap()), &[subject], &Limits { manifests: 20, ..Limits::default() });
    let few = few.unwrap();
    assert!(few.nodes().count() == 20 && !few.complete());
}
