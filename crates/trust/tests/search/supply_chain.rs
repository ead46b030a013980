//! Level 3: an in-toto layout that must hold for the artifact, by what is attached to it.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::{Digest, UnixTime};
use touchmark_in_toto::attached::{ARTIFACT_TYPE, MEDIA_TYPE};
use touchmark_in_toto::{Answered, Inheritance, Parameters};
use touchmark_test_tuf_repository::NOW;
use touchmark_trust::{Answer, Class, Failure, Fault, Limits, Need, Policy, Rejected, Request, Scope, Search, Step, SupplyChainDemand};

use crate::chain::{
    BUILDER, Layout, OTHER_BUILDER, OWNER, STRANGER, TESTER, TIED, attach, built, file, inspection, keyid, link, parts, step, unlisted,
};
use crate::shelf::{Inline, Shelf, key, policy, public, sealed, time};
use crate::world::{World, listed};

/// A signed image, with a layout that its policy wants.
struct Case {
    shelf: Shelf,
    image: Digest,
    layout: Layout,
}

impl Case {
    fn new() -> Self {
        let mut shelf = Shelf::default();
        let image = shelf.image("app");
        shelf.sign(image, &[&key(0)], |_| {});
        Self { shelf, image, layout: Layout::simple() }
    }

    /// With the link of the one step attached.
    fn good() -> Self {
        let mut case = Self::new();
        case.attach_built(BUILDER);
        case
    }

    fn attach_built(&mut self, by: u8) -> Digest {
        let link = built(&self.shelf, self.image, by);
        attach(&mut self.shelf, self.image, &[link])
    }

    /// The link of `build` of another release, validly signed, attached to this one.
    fn attach_older(&mut self) -> Digest {
        let older = self.shelf.image("older");
        let link = built(&self.shelf, older, BUILDER);
        attach(&mut self.shelf, self.image, &[link])
    }

    fn policy(&self) -> Policy {
        policy(&[&key(0)], 1).supply_chain(self.layout.demand())
    }

    fn request(&self) -> Request {
        Request::new(self.policy(), self.image, time(2_000))
    }

    fn verify(&mut self) -> Result<touchmark_trust::Artifact, Rejected> {
        let request = self.request();
        self.shelf.verify(request)
    }

    /// By a layout that is demanded otherwise.
    fn verify_by(&mut self, demand: SupplyChainDemand) -> Result<touchmark_trust::Artifact, Rejected> {
        let request = Request::new(policy(&[&key(0)], 1).supply_chain(demand), self.image, time(2_000));
        self.shelf.verify(request)
    }

    /// The class and the code of the refusal.
    fn refused(&mut self) -> (Class, &'static str) {
        let rejected = self.verify().unwrap_err();
        (rejected.class(), rejected.fault().code())
    }

    /// How often a manifest or a blob was asked for.
    fn asked(&self, wanted: Digest) -> usize {
        let is_wanted = |need: &&Need| matches!(need, Need::Manifest { digest, .. } | Need::Blob { digest, .. } if *digest == wanted);
        self.shelf.asked.iter().filter(is_wanted).count()
    }
}

const NOT_VERIFIED: (Class, &str) = (Class::NotVerified, "supply-chain");
const UNKNOWN: (Class, &str) = (Class::Unknown, "supply-chain");

#[test]
fn a_layout_that_holds_is_told_with_what_accepted_the_artifact() {
    let mut case = Case::good();
    let artifact = case.verify().unwrap();
    let chain = artifact.supply_chain().unwrap();
    assert_eq!(chain.report.steps[0].counted, [public(&key(BUILDER))]);
    assert_eq!(chain.report.inspections[0].answer, Answered::Product);
    let json = artifact.to_json();
    let report = json.get("supply_chain").unwrap();
    assert_eq!(report.get("verified").and_then(|value| value.as_bool()), Some(true));
    assert_eq!(json.get("accepted_by").and_then(|value| value.as_str()), Some("envelopes"));
    assert_eq!(artifact.accepted().len(), 1);
}

#[test]
fn without_links_the_layout_does_not_hold() {
    let mut case = Case::new();
    assert_eq!(case.refused(), NOT_VERIFIED);
    let rejected = case.verify().unwrap_err();
    assert!(rejected.to_string().contains("0 of 1 required keys vouch for it"), "{rejected}");
    assert!(rejected.supply_chain().is_some());
    assert!(rejected.to_json().get("supply_chain").is_some());
}

#[test]
fn a_refusal_of_the_signature_is_told_first_and_nothing_else_is_fetched() {
    let mut case = Case::good();
    let set = case.attach_built(BUILDER);
    let request = Request::new(policy(&[&key(2)], 1).supply_chain(case.layout.demand()), case.image, time(2_000));
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), (Class::NotVerified, "threshold"));
    assert!(rejected.supply_chain().is_none());
    let blobs = case.shelf.asked.iter().filter(|need| matches!(need, Need::Blob { .. })).count();
    assert_eq!((blobs, case.asked(set)), (0, 1));
}

#[test]
fn layout_without_match_on_manifest_is_rejected() {
    for rules in [r#"["ALLOW","*"]"#, ""] {
        let mut case = Case::good();
        case.layout.inspections = vec![inspection("look", "true", rules)];
        assert_eq!(case.refused(), NOT_VERIFIED, "{rules}");
        let report = case.verify().unwrap_err();
        assert!(report.supply_chain().unwrap().reasons.iter().any(|reason| reason.code() == "in-toto-product-unmatched"), "{rules}");
    }
    // The blobs that a manifest names are not the manifest.
    let mut case = Case::new();
    let mut products = parts(&case.shelf, case.image);
    products.retain(|digest| *digest != case.image);
    let link = (file("build", BUILDER), link("build", &[], &products, BUILDER));
    attach(&mut case.shelf, case.image, &[link]);
    case.layout.inspections = vec![inspection("look", "true", r#"["MATCH","*","WITH","PRODUCTS","FROM","build"],["ALLOW","*"]"#)];
    assert_eq!(case.refused(), NOT_VERIFIED);
}

#[test]
fn unanswered_inspection_is_rejected() {
    let mut case = Case::good();
    case.layout.inspections.push(inspection("scan", "scanner", ""));
    assert_eq!(case.refused(), NOT_VERIFIED);
    let rejected = case.verify().unwrap_err();
    assert_eq!(rejected.supply_chain().unwrap().reasons[0].code(), "in-toto-inspection-unanswered");
}

#[test]
fn inspection_link_counts_only_by_keys_that_the_policy_names() {
    for (signer, named, holds) in
        [(STRANGER, None, false), (STRANGER, Some(TESTER), false), (BUILDER, None, false), (TESTER, Some(TESTER), true)]
    {
        let mut case = Case::good();
        case.layout.inspections.push(inspection("scan", "scanner", ""));
        let scanned = (file("scan", signer), link("scan", &parts(&case.shelf, case.image), &[], signer));
        attach(&mut case.shelf, case.image, &[scanned]);
        let demand = case.layout.demand().inspectors(named.map(|number| public(&key(number))));
        assert_eq!(case.verify_by(demand).is_ok(), holds, "{signer} {named:?}");
    }
}

#[test]
fn an_inspection_link_of_another_product_does_not_count() {
    let mut case = Case::good();
    case.layout.inspections.push(inspection("scan", "scanner", ""));
    let other = case.shelf.image("other");
    let scanned = (file("scan", TESTER), link("scan", &parts(&case.shelf, other), &[], TESTER));
    attach(&mut case.shelf, case.image, &[scanned]);
    let demand = case.layout.demand().inspectors([public(&key(TESTER))]);
    assert_eq!(case.verify_by(demand).unwrap_err().class(), Class::NotVerified);
}

#[test]
fn links_of_another_release_are_rejected() {
    let mut case = Case::new();
    case.attach_older();
    assert_eq!(case.refused(), NOT_VERIFIED);
    // Nor does it help that the links are attached where they belong, and the artifact is another one.
    let mut case = Case::good();
    let other = case.shelf.image("other");
    case.shelf.sign(other, &[&key(0)], |_| {});
    let request = Request::new(case.policy(), other, time(2_000));
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), NOT_VERIFIED);
}

/// Everything that someone who can write to the place can attach.
fn hostile(case: &mut Case) {
    let image = case.image;
    case.attach_older();
    attach(&mut case.shelf, image, &[(file("build", BUILDER), b"no metadata".to_vec())]);
    attach(&mut case.shelf, image, &[(file("build", BUILDER), link("build", &[], &[], STRANGER))]);
    // A file that is listed and not there, and one that is listed with other sizes.
    let gone = unlisted(&mut case.shelf, image, &[(file("build", BUILDER), b"gone".to_vec())]);
    case.shelf.contents.remove(&Algorithm::Sha256.digest(b"gone"));
    case.shelf.list(image, gone, Some(ARTIFACT_TYPE));
    let good = built(&case.shelf, image, BUILDER);
    for size in [1, 1 << 40] {
        let mut layer = Descriptor::new(MEDIA_TYPE, case.shelf.put(&good.1), size);
        layer.annotations.insert("org.opencontainers.image.title".into(), good.0.clone());
        case.shelf.attach_layers(image, ARTIFACT_TYPE, &[layer]);
    }
    // Sets that are none: of another artifact, with paths that lead elsewhere.
    let other = case.shelf.image("other");
    let strange = unlisted(&mut case.shelf, other, &[good]);
    case.shelf.list(image, strange, Some(ARTIFACT_TYPE));
    let mut layer = case.shelf.blob("x");
    layer.annotations.insert("org.opencontainers.image.title".into(), "../../x.link".into());
    case.shelf.attach_layers(image, ARTIFACT_TYPE, &[layer]);
    // The same referrer listed as something else, and one that is not there.
    case.shelf.list(image, Algorithm::Sha256.digest(b"nothing"), Some(ARTIFACT_TYPE));
}

#[test]
fn hostile_set_does_not_hide_a_good_one() {
    let mut case = Case::new();
    hostile(&mut case);
    assert_eq!(case.refused(), UNKNOWN, "one of what could not be had might be the good one");
    let good = case.attach_built(BUILDER);
    case.shelf.list(case.image, good, Some("text/plain"));
    let all = case.shelf.referrers[&case.image].clone();
    // Whatever the order.
    for turn in 0..all.len() {
        let mut order = all.clone();
        order.rotate_left(turn);
        for reversed in [false, true] {
            if reversed {
                order.reverse();
            }
            case.shelf.referrers.insert(case.image, order.clone());
            assert!(case.verify().is_ok(), "{turn} {reversed}");
        }
    }
}

#[test]
fn a_set_that_is_listed_as_something_else_is_found() {
    let mut case = Case::new();
    let link = built(&case.shelf, case.image, BUILDER);
    let set = unlisted(&mut case.shelf, case.image, &[link]);
    case.shelf.list(case.image, set, Some("text/plain"));
    assert!(case.verify().is_ok());
}

#[test]
fn thresholds_are_met_by_links_in_separate_sets() {
    let mut case = Case::new();
    case.layout.steps = vec![step("build", &[BUILDER, OTHER_BUILDER], 2)];
    case.attach_built(BUILDER);
    assert_eq!(case.refused(), NOT_VERIFIED);
    case.attach_built(BUILDER);
    assert_eq!(case.refused(), NOT_VERIFIED, "one key twice is one key");
    case.attach_built(OTHER_BUILDER);
    assert!(case.verify().is_ok());
}

#[test]
fn an_incomplete_list_is_could_not_find_out_unless_the_rest_suffices() {
    let mut case = Case::good();
    case.shelf.incomplete = true;
    assert!(case.verify().is_ok());
    let mut case = Case::new();
    case.shelf.incomplete = true;
    assert_eq!(case.refused(), UNKNOWN);
    case.attach_older();
    assert_eq!(case.refused(), UNKNOWN, "a set that does not hold says nothing of those that were not seen");
}

#[test]
fn a_thorough_question_is_asked_only_if_the_quick_one_did_not_suffice() {
    let mut case = Case::new();
    let link = built(&case.shelf, case.image, BUILDER);
    let set = unlisted(&mut case.shelf, case.image, &[link]);
    let mut entry = Descriptor::new(IMAGE_MANIFEST, set, case.shelf.contents[&set].len() as u64);
    entry.artifact_type = Some(ARTIFACT_TYPE.into());
    case.shelf.hidden.insert(case.image, vec![entry]);
    assert!(case.verify().is_ok());
    let questions = |case: &Case| case.shelf.asked.iter().filter(|need| matches!(need, Need::Referrers { .. })).count();
    assert_eq!(questions(&case), 2);
    // What is found quickly is not looked for again.
    let mut case = Case::good();
    case.shelf.hidden.insert(case.image, vec![Descriptor::new(IMAGE_MANIFEST, case.image, 1)]);
    assert!(case.verify().is_ok());
    assert_eq!(questions(&case), 1);
    // What cannot be found out is not "no".
    let mut case = Case::new();
    case.attach_older();
    case.shelf.thorough_failure = Some(Failure::Unavailable("503".into()));
    let rejected = case.verify().unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), UNKNOWN);
    assert!(rejected.to_string().contains("503"), "{rejected}");
    assert_eq!(rejected.fault().cause(), Some(&Failure::Unavailable("503".into())));
}

#[test]
fn what_is_missing_of_a_set_is_could_not_find_out() {
    let mut case = Case::good();
    let blob = Algorithm::Sha256.digest(&built(&case.shelf, case.image, BUILDER).1);
    for failure in [Failure::NotFound, Failure::WrongDigest, Failure::Unavailable("429".into())] {
        case.shelf.failures.insert(blob, failure.clone());
        let rejected = case.verify().unwrap_err();
        assert_eq!((rejected.class(), rejected.fault().cause()), (Class::Unknown, Some(&failure)));
    }
    // A source that returns other bytes has not returned the file.
    case.shelf.failures.clear();
    let size = case.shelf.contents[&blob].len();
    case.shelf.contents.insert(blob, vec![b'x'; size]);
    assert_eq!(case.refused(), UNKNOWN);
    // Nor a manifest, if it was not seen.
    let mut case = Case::new();
    let set = case.attach_built(BUILDER);
    case.shelf.failures.insert(set, Failure::Unavailable("500".into()));
    assert_eq!(case.refused(), UNKNOWN);
}

#[test]
fn a_set_that_could_not_be_read_might_have_been_the_good_one() {
    let mut case = Case::good();
    let blob = Algorithm::Sha256.digest(&built(&case.shelf, case.image, BUILDER).1);
    case.shelf.failures.insert(blob, Failure::NotFound);
    // What all sets together come to is decided by the other one, which is validly signed.
    case.attach_older();
    assert_eq!(case.refused(), UNKNOWN);
    case.shelf.failures.clear();
    assert!(case.verify().is_ok());
}

#[test]
fn a_layout_that_expired_or_that_not_all_keys_signed_is_untrusted_and_nothing_is_looked_for() {
    let mut case = Case::good();
    case.layout.expires = "1970-01-01T00:30:00Z";
    assert_eq!(case.refused(), (Class::UntrustedMetadata, "supply-chain"));
    let rejected = case.verify().unwrap_err();
    assert!(rejected.to_string().contains("expired at 1970-01-01T00:30:00Z"), "{rejected}");
    assert!(!rejected.to_string().contains("vouch"), "{rejected}");
    assert_eq!(case.asked(Algorithm::Sha256.digest(&built(&case.shelf, case.image, BUILDER).1)), 0);
    let demands = [
        // By a stranger; by one of two; altered.
        SupplyChainDemand::new(Layout::simple().signed(&[STRANGER]), [public(&key(OWNER))]).unwrap(),
        SupplyChainDemand::new(Layout::simple().signed(&[OWNER]), [public(&key(OWNER)), public(&key(TESTER))]).unwrap(),
        SupplyChainDemand::new(b"{}".to_vec(), [public(&key(OWNER))]).unwrap(),
    ];
    for demand in demands {
        let mut case = Case::good();
        let link = Algorithm::Sha256.digest(&built(&case.shelf, case.image, BUILDER).1);
        let rejected = case.verify_by(demand).unwrap_err();
        assert_eq!((rejected.class(), rejected.fault().code()), (Class::UntrustedMetadata, "supply-chain"));
        assert_eq!(case.asked(link), 0);
    }
    assert!(SupplyChainDemand::new(Layout::simple().signed(&[OWNER]), []).is_err());
}

#[test]
fn a_link_by_a_stranger_does_not_count() {
    let mut case = Case::new();
    let (path, bytes) = built(&case.shelf, case.image, STRANGER);
    attach(&mut case.shelf, case.image, &[(path, bytes.clone()), (file("build", BUILDER), bytes)]);
    assert_eq!(case.refused(), NOT_VERIFIED);
}

#[test]
fn an_index_is_a_product_with_what_it_lists_and_covers_its_images() {
    let mut case = Case::new();
    let index = case.shelf.index(&[listed(&case.shelf, case.image)]);
    case.shelf.sign(index, &[&key(0)], |_| {});
    let covered = |case: &Case| Request::new(case.policy(), case.image, time(2_000)).scope(Scope::CoveredBy(index));
    // The links of the image, beside the image or beside the index, are not those of the index.
    case.attach_built(BUILDER);
    let of_image = built(&case.shelf, case.image, BUILDER);
    attach(&mut case.shelf, index, &[of_image]);
    let request = covered(&case);
    assert_eq!(case.shelf.verify(request).unwrap_err().fault().code(), "supply-chain");
    let of_index = built(&case.shelf, index, BUILDER);
    attach(&mut case.shelf, index, &[of_index]);
    let request = covered(&case);
    let artifact = case.shelf.verify(request).unwrap();
    assert_eq!((artifact.descriptor().digest, artifact.covered_by().unwrap().digest), (case.image, index));
    let request = Request::new(case.policy(), index, time(2_000));
    assert!(case.shelf.verify(request).unwrap().supply_chain().is_some());
}

#[test]
fn an_entry_a_seal_and_envelopes_each_go_with_a_layout() {
    for by in ["entry", "seal", "envelopes"] {
        let mut world = World::new();
        let image = world.shelf.image("app");
        match by {
            "entry" => world.enter("acme", "acme/tool", image),
            "seal" => world.seal("acme", "acme/tool", &[image]),
            _ => world.sign(image, "acme", "acme/tool"),
        }
        let standing = world.standing("acme/tool").unwrap();
        let policy = Policy::trust(standing).supply_chain(Layout::simple().demand());
        let at = UnixTime::from_seconds(NOW).unwrap();
        let refused = world.shelf.verify(Request::new(policy.clone(), image, at)).unwrap_err();
        assert_eq!((refused.class(), refused.fault().code()), NOT_VERIFIED, "{by}");
        let link = built(&world.shelf, image, BUILDER);
        attach(&mut world.shelf, image, &[link]);
        let artifact = world.shelf.verify(Request::new(policy, image, at)).unwrap();
        assert_eq!((artifact.accepted_by().code(), artifact.supply_chain().is_some()), (by, true));
    }
}

#[test]
fn a_sublayout_stands_for_its_step_by_what_is_in_its_folder() {
    let mut case = Case::new();
    let inner = Layout { steps: vec![step("compile", &[OTHER_BUILDER], 1)], inspections: vec![], expires: "2030-01-01T00:00:00Z" };
    let folder = format!("build.{}", &keyid(BUILDER)[..8]);
    let compiled = link("compile", &[], &parts(&case.shelf, case.image), OTHER_BUILDER);
    let sublayout = (format!("{folder}.link"), inner.signed(&[BUILDER]));
    let below = (format!("{folder}/{}", file("compile", OTHER_BUILDER)), compiled);
    attach(&mut case.shelf, case.image, std::slice::from_ref(&sublayout));
    assert_eq!(case.refused(), NOT_VERIFIED);
    attach(&mut case.shelf, case.image, &[sublayout, below]);
    let artifact = case.verify().unwrap();
    assert!(artifact.supply_chain().unwrap().report.steps[0].files.iter().any(|file| file.sublayout.is_some()));
}

#[test]
fn parameters_are_what_the_policy_gives() {
    let mut case = Case::good();
    let rules = format!(r#"["REQUIRE","blobs/sha256/{{digest}}"],{TIED}"#);
    case.layout.inspections = vec![inspection("look", "true", &rules)];
    let with = |case: &mut Case, value: &str| {
        let mut parameters = Parameters::new();
        parameters.insert("digest", value).unwrap();
        let demand = case.layout.demand().parameters(parameters, Inheritance::None);
        case.verify_by(demand)
    };
    let hex = case.image.hex();
    assert!(with(&mut case, &hex).is_ok());
    assert_eq!(with(&mut case, &hex.replace(['0', '1', '2', '3'], "4")).unwrap_err().class(), Class::NotVerified);
}

#[test]
fn envelopes_that_are_given_are_the_only_evidence() {
    let mut case = Case::good();
    let envelope = case.shelf.envelope(case.image, &[&key(0)], |_| {});
    let request = case.request().envelopes(vec![envelope]);
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), NOT_VERIFIED);
    assert!(!case.shelf.asked.iter().any(|need| matches!(need, Need::Referrers { .. })));
}

const LAYOUT_OVER_ATTESTATIONS: &str = r#"{"_type":"urn:touchmark:in-toto:attestation-layout:v1","expires":"2030-01-01T00:00:00Z",
"functionaries":{"builder":KEY},"steps":[{"name":"build","expectedMaterials":[],"expectedProducts":[],
"expectedPredicates":[{"predicateType":"https://slsa.dev/provenance/v1","functionaries":["builder"],"threshold":1,"expectedAttributes":[]}]}],
"subjects":[],"inspections":[{"name":"look","command":["true"],"expectedMaterials":[["MATCH","*","WITH","PRODUCTS","FROM","build"],["DISALLOW","*"]],"expectedProducts":[]}]}"#;

/// Provenance of all that an artifact consists of, by a key.
fn provenance(shelf: &Shelf, digest: Digest, by: u8) -> Vec<u8> {
    let subjects = parts(shelf, digest);
    let subjects = subjects.iter().map(|digest| format!(r#"{{"name":"blobs/sha256/{0}","digest":{{"sha256":"{0}"}}}}"#, digest.hex()));
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"buildType":"https://example.com/make","externalParameters":{{}}}},"runDetails":{{"builder":{{"id":"https://example.com"}}}}}}}}"#,
        subjects.collect::<Vec<_>>().join(",")
    );
    sealed(text.as_bytes(), &[&key(by)])
}

#[test]
fn single_attestations_are_evidence_of_a_layout_over_attestations() {
    let public_key = touchmark_envelope::digest::hex(public(&key(BUILDER)).as_raw());
    let keys = format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public_key}"}}}}"#);
    let layout = LAYOUT_OVER_ATTESTATIONS.replace("KEY", &keys);
    let demand = SupplyChainDemand::new(sealed(layout.as_bytes(), &[&key(OWNER)]), [public(&key(OWNER))]).unwrap();
    for inline in [Inline::Yes, Inline::No] {
        let mut case = Case::new();
        let verify = |case: &mut Case| case.verify_by(demand.clone());
        let image = case.image;
        let by_stranger = provenance(&case.shelf, image, STRANGER);
        case.shelf.attach(image, dsse::IN_TOTO, &by_stranger, inline);
        let rejected = verify(&mut case).unwrap_err();
        assert_eq!((rejected.class(), rejected.fault().code()), NOT_VERIFIED, "{rejected}");
        let good = provenance(&case.shelf, image, BUILDER);
        case.shelf.attach(image, dsse::IN_TOTO, &good, inline);
        let chain = verify(&mut case).unwrap_or_else(|rejected| panic!("{rejected}"));
        assert_eq!(chain.supply_chain().unwrap().report.steps[0].counted, [public(&key(BUILDER))]);
        // One that cannot be had might have been it.
        case.shelf.failures.insert(Algorithm::Sha256.digest(&good), Failure::NotFound);
        if inline == Inline::No {
            assert_eq!(verify(&mut case).unwrap_err().class(), Class::Unknown);
        }
    }
}

#[test]
fn one_statement_in_many_forms_uses_up_nothing_and_too_many_bytes_leave_it_open() {
    let object = |number: u8| {
        let public = touchmark_envelope::digest::hex(public(&key(number)).as_raw());
        format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}"#)
    };
    let layout = LAYOUT_OVER_ATTESTATIONS.replace("KEY", &format!(r#"{},"tester":{}"#, object(BUILDER), object(TESTER)));
    let demand = SupplyChainDemand::new(sealed(layout.as_bytes(), &[&key(OWNER)]), [public(&key(OWNER))]).unwrap();
    let mut case = Case::new();
    let image = case.image;
    let verify = |case: &mut Case, reported| {
        let request = Request::new(policy(&[&key(0)], 1).supply_chain(demand.clone()), image, time(2_000));
        case.shelf.verify(request.limits(Limits { reported, ..Limits::default() }))
    };
    // What the builder signed of another artifact does not stand beside it, although both have a config in common.
    let other = case.shelf.image("other");
    let of_other = provenance(&case.shelf, other, BUILDER);
    case.shelf.attach(image, dsse::IN_TOTO, &of_other, Inline::Yes);
    // What a tester signed of this one, written down in ever larger forms.
    let tested = provenance(&case.shelf, image, TESTER);
    for number in 1..20 {
        let padded = [&b" ".repeat(1000 * number), tested.as_slice()].concat();
        case.shelf.attach(image, dsse::IN_TOTO, &padded, Inline::Yes);
    }
    assert_eq!(verify(&mut case, 24_000).unwrap_err().class(), Class::NotVerified);
    let good = provenance(&case.shelf, image, BUILDER);
    case.shelf.attach(image, dsse::IN_TOTO, &good, Inline::Yes);
    assert!(verify(&mut case, 24_000).is_ok());
    // Of larger forms of the right one the smallest is kept, in whatever order they come.
    for number in 1..8 {
        let padded = [&b" ".repeat(3000 * number), good.as_slice()].concat();
        case.shelf.attach(image, dsse::IN_TOTO, &padded, Inline::Yes);
        assert!(verify(&mut case, 6_000).is_ok());
    }
    // The smaller one is kept, and suffices; without it nothing is known.
    assert!(verify(&mut case, 2_500).is_ok());
    let rejected = verify(&mut case, 1_000).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-reported"), "{rejected}");
}

#[test]
fn an_attestation_that_was_met_before_the_signature_counts() {
    let public_key = touchmark_envelope::digest::hex(public(&key(BUILDER)).as_raw());
    let keys = format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public_key}"}}}}"#);
    let layout = LAYOUT_OVER_ATTESTATIONS.replace("KEY", &keys);
    let demand = SupplyChainDemand::new(sealed(layout.as_bytes(), &[&key(OWNER)]), [public(&key(OWNER))]).unwrap();
    let mut case = Case::new();
    let image = case.image;
    let good = provenance(&case.shelf, image, BUILDER);
    case.shelf.attach(image, dsse::IN_TOTO, &good, Inline::Yes);
    // None of them says what it is, and the attestation comes first.
    let referrers = case.shelf.referrers.get_mut(&image).unwrap();
    referrers.reverse();
    referrers.iter_mut().for_each(|entry| entry.artifact_type = None);
    assert!(case.verify_by(demand).is_ok());
}

#[test]
fn too_many_referrers_and_too_much_work_name_the_option() {
    let mut case = Case::new();
    for number in 0..8 {
        let link = (file("build", BUILDER), format!("{number}").into_bytes());
        attach(&mut case.shelf, case.image, &[link]);
    }
    let limits = Limits { referrers: 4, ..Limits::default() };
    let request = case.request().limits(limits);
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), UNKNOWN);
    assert!(rejected.to_string().contains("--max-referrers"), "{rejected}");
    let limits = Limits { work: 200 << 10, ..Limits::default() };
    let request = case.request().limits(limits);
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
}

#[test]
fn without_work_that_is_left_what_only_a_thorough_question_finds_is_not_known_to_be_nothing() {
    let mut case = Case::new();
    let link = built(&case.shelf, case.image, BUILDER);
    let set = unlisted(&mut case.shelf, case.image, &[link]);
    let entry = Descriptor::new(IMAGE_MANIFEST, set, case.shelf.contents[&set].len() as u64);
    case.shelf.hidden.insert(case.image, vec![entry]);
    let demand = case.layout.demand().limits(touchmark_in_toto::Limits::default());
    // The signature uses all of it up.
    let request = Request::new(policy(&[&key(0)], 1).supply_chain(demand), case.image, time(2_000));
    let rejected = case.shelf.verify(request.limits(Limits { work: 1, ..Limits::default() })).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), UNKNOWN, "{rejected}");
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
}

#[test]
fn attestations_with_many_hopeless_signatures_use_up_work() {
    let public_key = touchmark_envelope::digest::hex(public(&key(BUILDER)).as_raw());
    let keys = format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public_key}"}}}}"#);
    let layout = LAYOUT_OVER_ATTESTATIONS.replace("KEY", &keys);
    let demand = SupplyChainDemand::new(sealed(layout.as_bytes(), &[&key(OWNER)]), [public(&key(OWNER))]).unwrap();
    let demand = demand.limits(touchmark_in_toto::Limits::default());
    let mut case = Case::new();
    let image = case.image;
    let strangers: Vec<_> = (150..=250).map(key).collect();
    let provenance = {
        let one = provenance(&case.shelf, image, STRANGER);
        let limits = dsse::Limits { bytes: one.len(), signatures: 1 };
        sealed(&dsse::Envelope::parse(&one, limits).unwrap().untrusted().payload, &strangers.iter().collect::<Vec<_>>())
    };
    for number in 0..16 {
        let padded = [&b" ".repeat(number), provenance.as_slice()].concat();
        case.shelf.attach(image, dsse::IN_TOTO, &padded, Inline::No);
    }
    let request = Request::new(policy(&[&key(0)], 1).supply_chain(demand), image, time(2_000));
    let rejected = case.shelf.verify(request.limits(Limits { work: 16 << 20, ..Limits::default() })).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), UNKNOWN, "{rejected}");
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
    let envelopes = case.shelf.asked.iter().filter(|need| matches!(need, Need::Blob { .. })).count();
    assert!(envelopes <= 4, "101 checks, each the work of 64 KiB at least: {envelopes} were looked at");
}

#[test]
fn sets_with_too_many_files_leave_it_open_and_a_small_one_that_is_good_counts() {
    let mut case = Case::new();
    // More files than two whole sets have, in sets that are each within bounds; no file of them is there.
    for number in 0..3_usize {
        let layers: Vec<Descriptor> = (0..8000)
            .map(|file| {
                let mut layer = Descriptor::new(MEDIA_TYPE, Algorithm::Sha256.digest(b"x"), 1);
                layer.annotations.insert("org.opencontainers.image.title".into(), format!("{number}-{file}.link"));
                layer
            })
            .collect();
        case.shelf.attach_layers(case.image, ARTIFACT_TYPE, &layers);
    }
    let limits = Limits { referrers: 100, ..Limits::default() };
    let request = case.request().limits(limits);
    let rejected = case.shelf.verify(request).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), UNKNOWN);
    assert!(rejected.to_string().contains("16384 files"), "{rejected}");
    case.attach_built(BUILDER);
    let request = case.request().limits(limits);
    assert!(case.shelf.verify(request).is_ok());
}

#[test]
fn a_manifest_that_was_fetched_for_a_signature_is_not_fetched_again() {
    let mut case = Case::new();
    let image = case.image;
    // Before the good signature in the list, and of no hint.
    let link = built(&case.shelf, image, BUILDER);
    let set = unlisted(&mut case.shelf, image, &[link]);
    case.shelf.referrers.insert(image, vec![]);
    case.shelf.list(image, set, None);
    let signature = case.shelf.sign(image, &[&key(0)], |_| {});
    case.shelf.referrers.insert(image, vec![]);
    case.shelf.list(image, set, None);
    case.shelf.list(image, signature, None);
    assert!(case.verify().is_ok());
    assert_eq!((case.asked(set), case.asked(signature)), (1, 1));
}

#[test]
fn whatever_is_answered_it_ends_and_is_not_verified() {
    let lies: [fn(&Need) -> Answer; 4] = [
        |_| Answer::Failed(Failure::NotFound),
        |_| Answer::Bytes(Vec::new()),
        |_| Answer::Referrers { entries: Vec::new(), complete: true, more: true, why: None },
        |_| Answer::Failed(Failure::WrongAnswer),
    ];
    for lie in lies {
        // Whatever is true up to some point, and a lie from then on.
        for honest in 0..6 {
            let case = Case::good();
            let mut search = Search::new(case.request());
            let mut needs = 0;
            while let Step::Need(need) = search.next() {
                let answer = if needs < honest { case.shelf.fetch(&need) } else { lie(&need) };
                search.answer(answer);
                needs += 1;
                assert!(needs < 50);
            }
            let outcome = search.finish();
            assert!(needs <= honest || outcome.is_err(), "{honest}");
        }
    }
    assert!(matches!(Search::new(Case::good().request()).finish().unwrap_err().fault(), Fault::Unavailable { .. }));
}

#[test]
fn it_is_told_ahead_which_files_of_a_set_are_needed() {
    let mut case = Case::new();
    case.layout.steps.push(step("test", &[TESTER], 1));
    let tested = (file("test", TESTER), link("test", &[], &[], TESTER));
    let first = built(&case.shelf, case.image, BUILDER);
    let second = Algorithm::Sha256.digest(&tested.1);
    attach(&mut case.shelf, case.image, &[first.clone(), tested]);
    let mut search = Search::new(case.request());
    let mut told = false;
    while let Step::Need(need) = search.next() {
        if matches!(&need, Need::Blob { digest, .. } if *digest == Algorithm::Sha256.digest(&first.1)) {
            told = search.ahead(8, &|_| None).iter().any(|need| matches!(need, Need::Blob { digest, .. } if *digest == second));
        }
        search.answer(case.shelf.fetch(&need));
    }
    assert!(told && search.finish().is_ok());
}
