//! Functionaries with certificates (ITE-7), attack by attack.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use touchmark_envelope::digest::hex;
use touchmark_envelope::json::Value;
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_in_toto::{Class, Failure, Report, UnixTime};

use crate::chain::{Chain, FORMS, Form, Layout, key, key_object, keyid, link, public, step, verdicts};

/// A key that certificates are made for or signed with.
fn pair(key: &PrivateKey) -> KeyPair {
    KeyPair::try_from(key.to_pkcs8_der().as_slice()).unwrap()
}

fn of(algorithm: KeyAlgorithm, number: u8) -> PrivateKey {
    let length = if algorithm == KeyAlgorithm::EcdsaP384 { 48 } else { 32 };
    PrivateKey::from_raw(algorithm, &vec![number; length]).unwrap()
}

/// A certificate of this name, valid in 2026.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    params
}

/// One of an authority.
fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// One of a functionary, for `builder` and `spiffe://example.com/builder`.
fn functionary() -> CertificateParams {
    let mut params = params("builder");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names.push(uri("spiffe://example.com/builder"));
    params
}

/// What makes a certificate another one.
type Change = fn(&mut CertificateParams);

fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// The authority of a test: its certificate, and its key.
struct Authority {
    params: CertificateParams,
    key: PrivateKey,
    pem: String,
}

impl Authority {
    fn root(params: CertificateParams, number: u8) -> Self {
        let key = key(number);
        let pem = params.self_signed(&pair(&key)).unwrap().pem();
        Self { params, key, pem }
    }

    fn below(parent: &Authority, params: CertificateParams, number: u8) -> Self {
        let pem = parent.sign(&params, &key(number));
        Self { params, key: key(number), pem }
    }

    /// A certificate for a key, as PEM.
    fn sign(&self, params: &CertificateParams, key: &PrivateKey) -> String {
        params.signed_by(&pair(key), &Issuer::from_params(&self.params, pair(&self.key))).unwrap().pem()
    }

    /// What a layout lists it as.
    fn object(&self) -> String {
        authority_object(&self.pem, &key_object(self.key.public_key()))
    }
}

/// The KEY object that Go writes of an authority.
fn authority_object(pem: &str, key: &str) -> String {
    key.replace(r#""keyval":{"#, &format!(r#""keyval":{{"certificate":"{}","#, pem.replace('\n', "\\n")))
}

/// The constraint that certificates of [`functionary`] meet, under any root.
const BUILDER: &str = r#"{"common_name":"builder","dns_names":[""],"emails":[""],"organizations":[""],"roots":["*"],"uris":["spiffe://example.com/builder"]}"#;
const ANY: &str = r#"{"common_name":"*","dns_names":["*"],"emails":["*"],"organizations":["*"],"roots":["*"],"uris":["*"]}"#;

/// The number of the functionary's key.
const BUILDER_KEY: u8 = 50;

/// A file of the step `build`, signed; certificates stand beside the signatures that have one.
fn signed(signers: &[(&PrivateKey, Option<&str>)], form: Form) -> Vec<u8> {
    signed_link("build", signers, form)
}

fn signed_link(name: &str, signers: &[(&PrivateKey, Option<&str>)], form: Form) -> Vec<u8> {
    signed_payload(&link(name, &[], &[("app", "1")]), signers, form)
}

fn signed_payload(payload: &str, signers: &[(&PrivateKey, Option<&str>)], form: Form) -> Vec<u8> {
    let keys: Vec<&PrivateKey> = signers.iter().map(|(key, _)| *key).collect();
    let text = String::from_utf8(crate::chain::sign(payload, &keys, form)).unwrap();
    let (before, signatures) = text.split_once(r#""signatures":["#).unwrap();
    let mut signatures = signatures.split('{').map(ToOwned::to_owned).collect::<Vec<_>>();
    for (signature, (_, certificate)) in signatures.iter_mut().skip(1).zip(signers) {
        if let Some(pem) = certificate {
            *signature = format!(r#""cert":"{}",{signature}"#, pem.replace('\n', "\\n"));
        }
    }
    format!(r#"{before}"signatures":[{}"#, signatures.join("{")).into_bytes()
}

/// A layout whose step `build` takes certificates of the root `r`, and a link that is signed by one.
struct Given {
    chain: Chain,
    root: Authority,
}

impl Given {
    fn new(form: Form) -> Self {
        let root = Authority::root(authority("root"), 40);
        let mut build = step("build", &[], &[], &["CREATE app", "DISALLOW *"]);
        build.cert_constraints = vec![BUILDER.into()];
        let mut layout = Layout::of(&[], vec![build]);
        layout.authorities[0].push(("r".into(), root.object()));
        let mut given = Self { chain: Chain::new(form, layout), root };
        given.put(&functionary());
        given
    }

    /// The link, signed by a certificate like this of the root.
    fn put(&mut self, params: &CertificateParams) {
        let pem = self.root.sign(params, &key(BUILDER_KEY));
        self.put_pem(&pem);
    }

    fn put_pem(&mut self, pem: &str) {
        let file = signed(&[(&key(BUILDER_KEY), Some(pem))], self.chain.form);
        self.chain.files.insert("build.0123abcd.link".into(), file);
    }

    fn constraints(&mut self, constraints: &[&str]) {
        self.chain.layout.steps[0].cert_constraints = constraints.iter().map(ToString::to_string).collect();
    }

    fn report(&mut self) -> Report {
        self.chain.verify().unwrap_or_else(|rejected| panic!("{rejected}")).report
    }

    /// What became of the one file, of a step that is not verified.
    fn refused(&mut self) -> &'static str {
        let report = self.chain.rejected().report;
        assert_eq!(report.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>(), ["in-toto-threshold"]);
        assert_eq!(report.class(), Some(Class::NotVerified));
        match verdicts(&report.steps[0].files)[..] {
            [verdict] => verdict,
            ref others => panic!("{others:?}"),
        }
    }
}

#[test]
fn a_certificate_that_meets_a_constraint_makes_its_key_a_functionary() {
    for form in FORMS {
        let mut given = Given::new(form);
        let report = given.report();
        assert_eq!(report.steps[0].counted, [public(BUILDER_KEY)]);
        let [file] = report.steps[0].files.as_slice() else { panic!() };
        let [certified] = file.certified.as_slice() else { panic!() };
        assert_eq!((&certified.key, certified.subject.as_str(), certified.root.as_str()), (&public(BUILDER_KEY), "CN=builder", "r"));
        assert_eq!(given.chain.asked, ["build.*", "build.0123abcd.link"]);
    }
}

#[test]
fn certificates_of_every_kind_of_key_are_taken() {
    use KeyAlgorithm::{EcdsaP256, EcdsaP384, Ed25519};
    for root in [Ed25519, EcdsaP256, EcdsaP384] {
        for leaf in [Ed25519, EcdsaP256, EcdsaP384] {
            let mut given = Given::new(Form::Legacy);
            let (root, leaf) = (of(root, 41), of(leaf, 51));
            let root = Authority { pem: given.root.params.self_signed(&pair(&root)).unwrap().pem(), params: authority("root"), key: root };
            // What the library here has no name for is listed with the certificate alone, as ITE-7 shows it.
            let object = format!(r#"{{"keytype":"ecdsa","scheme":"x","keyval":{{"public":"{}"}}}}"#, root.pem.replace('\n', "\\n"));
            given.chain.layout.authorities[0] = vec![("r".into(), object)];
            let pem = root.sign(&functionary(), &leaf);
            given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&leaf, Some(&pem))], Form::Legacy));
            assert_eq!(given.report().steps[0].counted, [leaf.public_key().clone()]);
            // By a stranger's key of the same kind, under the same name.
            let key = of(root.key.public_key().algorithm(), 42);
            let stranger = Authority { pem: String::new(), params: authority("root"), key };
            let pem = stranger.sign(&functionary(), &leaf);
            given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&leaf, Some(&pem))], Form::Legacy));
            assert_eq!(given.refused(), "in-toto-certificate-chain");
        }
    }
}

#[test]
fn an_empty_list_of_constraints_makes_nobody_a_functionary() {
    let mut given = Given::new(Form::Legacy);
    given.constraints(&[]);
    assert_eq!(given.chain.refused(), ["in-toto-unreachable-threshold"]);
    assert_eq!(given.chain.asked, [""; 0]);
}

#[test]
fn without_a_root_nobody_has_a_certificate_that_counts() {
    let mut given = Given::new(Form::Legacy);
    given.chain.layout.authorities[0].clear();
    assert_eq!(given.chain.refused(), ["in-toto-threshold"]);
    assert_eq!(given.chain.asked, [""; 0]);
    // An authority that is listed as another one only is none that is trusted.
    let mut given = Given::new(Form::Legacy);
    given.chain.layout.authorities.swap(0, 1);
    assert_eq!(given.chain.refused(), ["in-toto-threshold"]);
}

#[test]
fn a_certificate_counts_only_within_its_time_which_the_caller_gives() {
    let at = |time: &str| UnixTime::parse_signed(time).unwrap().seconds();
    for (time, refused) in
        [("2025-12-31T23:59:59Z", true), ("2026-01-01T00:00:00Z", false), ("2027-01-01T00:00:00Z", false), ("2027-01-01T00:00:01Z", true)]
    {
        for widened in ["root", "functionary"] {
            let mut given = Given::new(Form::Legacy);
            given.chain.at = at(time);
            let wide = |mut params: CertificateParams| {
                (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2029, 1, 1));
                params
            };
            match widened {
                "root" => {
                    given.root = Authority::root(wide(authority("root")), 40);
                    given.chain.layout.authorities[0] = vec![("r".into(), given.root.object())];
                }
                _ => given.put(&wide(functionary())),
            }
            match refused {
                true => assert_eq!(given.refused(), "in-toto-certificate-time", "{time} {widened}"),
                false => drop(given.report()),
            }
        }
    }
}

#[test]
fn an_intermediate_that_is_expired_is_refused() {
    let mut given = Given::new(Form::Legacy);
    let mut expired = authority("between");
    expired.not_after = date_time_ymd(2026, 6, 1);
    for (params, refused) in [(expired, true), (authority("between"), false)] {
        let between = Authority::below(&given.root, params, 42);
        given.chain.layout.authorities[1] = vec![("i".into(), between.object())];
        given.put_pem(&between.sign(&functionary(), &key(BUILDER_KEY)));
        match refused {
            true => assert_eq!(given.refused(), "in-toto-certificate-time"),
            false => drop(given.report()),
        }
    }
}

#[test]
fn a_chain_to_a_root_that_the_constraint_does_not_name_is_refused() {
    let mut given = Given::new(Form::Legacy);
    let other = Authority::root(authority("other root"), 43);
    given.chain.layout.authorities[0].push(("other".into(), other.object()));
    let only = |roots: &str| BUILDER.replace(r#""roots":["*"]"#, &format!(r#""roots":[{roots}]"#));
    for (roots, refused) in
        [(r#""other""#, true), ("", true), (r#""*","other""#, true), (r#""r""#, false), (r#""r","other""#, false), (r#""*""#, false)]
    {
        given.constraints(&[&only(roots)]);
        match refused {
            true => assert_eq!(given.refused(), "in-toto-certificate-root", "{roots}"),
            false => assert_eq!(given.report().steps[0].files[0].certified[0].root, "r"),
        }
    }
    // One constraint is met by the names, and another by the root: neither is met.
    let names = only(r#""other""#);
    let root = only(r#""r""#).replace("\"builder\"", "\"somebody else\"");
    given.constraints(&[&names, &root]);
    assert_eq!(given.refused(), "in-toto-certificate-root");
    given.constraints(&[&names, &root, BUILDER]);
    given.report();
}

#[test]
fn a_root_that_the_layout_does_not_list_is_refused_even_with_the_name_of_one_that_it_does() {
    let mut given = Given::new(Form::Legacy);
    for name in ["root", "another"] {
        let stranger = Authority::root(authority(name), 44);
        given.put_pem(&stranger.sign(&functionary(), &key(BUILDER_KEY)));
        assert_eq!(given.refused(), "in-toto-certificate-chain", "{name}");
    }
}

#[test]
fn a_root_under_two_keyids_counts_for_each() {
    let mut given = Given::new(Form::Legacy);
    given.chain.layout.authorities[0].push(("again".into(), given.root.object()));
    given.constraints(&[&BUILDER.replace(r#""roots":["*"]"#, r#""roots":["r"]"#)]);
    given.report();
}

#[test]
fn a_self_signed_certificate_is_refused_even_as_a_root() {
    let mut given = Given::new(Form::Legacy);
    let leaf = Authority::root(functionary(), BUILDER_KEY);
    given.put_pem(&leaf.pem);
    assert_eq!(given.refused(), "in-toto-certificate-chain");
    given.chain.layout.authorities[0] = vec![("r".into(), leaf.object())];
    let report = given.chain.rejected().report;
    assert_eq!(report.steps[0].unusable[0].1.code(), "in-toto-certificate-authority");
    // As an authority it may be a root, and then it signs no links.
    let root = Authority::root(authority("builder"), BUILDER_KEY);
    given.chain.layout.authorities[0] = vec![("r".into(), root.object())];
    given.constraints(&[ANY]);
    given.put_pem(&root.pem);
    assert_eq!(given.refused(), "in-toto-certificate-usage");
    let mut both = authority("builder");
    both.key_usages.push(KeyUsagePurpose::DigitalSignature);
    let root = Authority::root(both, BUILDER_KEY);
    given.chain.layout.authorities[0] = vec![("r".into(), root.object())];
    given.put_pem(&root.pem);
    assert_eq!(given.refused(), "in-toto-certificate-authority");
}

#[test]
fn a_functionary_is_no_authority() {
    let mut given = Given::new(Form::Legacy);
    for (params, usable) in [(functionary(), false), (params("between"), false), (authority("between"), true)] {
        let between = Authority::below(&given.root, params, 42);
        given.chain.layout.authorities[1] = vec![("i".into(), between.object())];
        given.put_pem(&between.sign(&functionary(), &key(BUILDER_KEY)));
        match usable {
            true => drop(given.report()),
            false => {
                assert_eq!(given.chain.rejected().report.steps[0].unusable[0].1.code(), "in-toto-certificate-authority");
                assert_eq!(given.refused(), "in-toto-certificate-chain");
            }
        }
    }
}

#[test]
fn an_authority_whose_key_may_not_sign_certificates_is_none() {
    let mut given = Given::new(Form::Legacy);
    let mut params = authority("root");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
    let root = Authority::root(params, 40);
    given.chain.layout.authorities[0] = vec![("r".into(), root.object())];
    assert_eq!(given.chain.rejected().report.steps[0].unusable[0].1.code(), "in-toto-certificate-authority");
    // One that does not say what its key may is taken.
    let mut params = authority("root");
    params.key_usages.clear();
    given.chain.layout.authorities[0] = vec![("r".into(), Authority::root(params, 40).object())];
    given.report();
}

#[test]
fn an_authority_that_only_the_file_has_is_none() {
    let mut given = Given::new(Form::Legacy);
    let between = Authority::below(&given.root, authority("between"), 42);
    let leaf = between.sign(&functionary(), &key(BUILDER_KEY));
    given.put_pem(&leaf);
    assert_eq!(given.refused(), "in-toto-certificate-chain");
    // Nor does a PEM have more than one certificate.
    given.put_pem(&format!("{leaf}{}", between.pem));
    assert_eq!(given.refused(), "in-toto-certificate-malformed");
    given.chain.layout.authorities[1].push(("i".into(), between.object()));
    given.put_pem(&leaf);
    given.report();
}

#[test]
fn a_chain_is_no_longer_than_its_authorities_allow() {
    let mut given = Given::new(Form::Legacy);
    for (root_allows, between_allows, verified) in
        [(None, None, true), (Some(2), Some(0), true), (Some(1), None, false), (None, Some(0), false)]
    {
        let allows = |name: &str, most: Option<u8>| {
            let mut params = authority(name);
            params.is_ca = IsCa::Ca(most.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
            params
        };
        given.root = Authority::root(allows("root", root_allows), 40);
        // The one that stands directly above the functionary allows none below it; the upper one is what is varied.
        let (upper, lower) = if root_allows == Some(2) { (None, between_allows) } else { (between_allows, None) };
        let upper = Authority::below(&given.root, allows("upper", upper), 42);
        let lower = Authority::below(&upper, allows("lower", lower), 43);
        given.chain.layout.authorities =
            [vec![("r".into(), given.root.object())], vec![("l".into(), lower.object()), ("u".into(), upper.object())]];
        given.put_pem(&lower.sign(&functionary(), &key(BUILDER_KEY)));
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-chain"),
        }
    }
}

#[test]
fn names_are_held_against_a_constraint_both_ways() {
    let constraint = |from: &str, to: &str| BUILDER.replace(from, to);
    let with = |change: Change| {
        let mut params = functionary();
        change(&mut params);
        params
    };
    let organization = |params: &mut CertificateParams| params.distinguished_name.push(DnType::OrganizationName, "Example");
    let extra_dns = |params: &mut CertificateParams| params.subject_alt_names.push(dns("b.example.com"));
    let extra_email =
        |params: &mut CertificateParams| params.subject_alt_names.push(SanType::Rfc822Name("b@example.com".try_into().unwrap()));
    let extra_uri = |params: &mut CertificateParams| params.subject_alt_names.push(uri("spiffe://example.com/other"));
    let same_uri = |params: &mut CertificateParams| params.subject_alt_names.push(uri("spiffe://example.com/builder"));
    let no_uri = |params: &mut CertificateParams| params.subject_alt_names.clear();
    let other_case = |params: &mut CertificateParams| params.distinguished_name.push(DnType::CommonName, "Builder");
    let no_name = |params: &mut CertificateParams| params.distinguished_name = rcgen::DistinguishedName::new();
    let address = |params: &mut CertificateParams| params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let plain = |_: &mut CertificateParams| {};
    let cases: [(&str, Change, String, bool); 26] = [
        ("plain", plain, BUILDER.into(), true),
        ("another common name", other_case, BUILDER.into(), false),
        ("no common name", no_name, BUILDER.into(), false),
        ("no common name, any", no_name, constraint(r#""builder""#, r#""*""#), true),
        ("no common name, absent", no_name, constraint(r#""builder""#, r#""""#), true),
        ("a common name, absent", plain, constraint(r#""builder""#, r#""""#), false),
        ("an organization too many", organization, BUILDER.into(), false),
        ("an organization", organization, constraint(r#""organizations":[""]"#, r#""organizations":["Example"]"#), true),
        ("an organization, any", organization, constraint(r#""organizations":[""]"#, r#""organizations":["*"]"#), true),
        ("an organization missing", plain, constraint(r#""organizations":[""]"#, r#""organizations":["Example"]"#), false),
        ("a DNS name too many", extra_dns, BUILDER.into(), false),
        ("a DNS name", extra_dns, constraint(r#""dns_names":[""]"#, r#""dns_names":["b.example.com"]"#), true),
        ("a DNS name, any", extra_dns, constraint(r#""dns_names":[""]"#, r#""dns_names":["*"]"#), true),
        ("a pattern of DNS names", extra_dns, constraint(r#""dns_names":[""]"#, r#""dns_names":["*.example.com"]"#), false),
        ("a DNS name, a list without it", extra_dns, constraint(r#""dns_names":[""],"#, ""), false),
        ("an address too many", extra_email, BUILDER.into(), false),
        ("an address", extra_email, constraint(r#""emails":[""]"#, r#""emails":["b@example.com"]"#), true),
        ("a URI too many", extra_uri, BUILDER.into(), false),
        ("two URIs", extra_uri, constraint(r#"builder"]"#, r#"builder","spiffe://example.com/other"]"#), true),
        ("two URIs, any", extra_uri, constraint(r#"["spiffe://example.com/builder"]"#, r#"["*"]"#), true),
        ("a URI twice", same_uri, BUILDER.into(), false),
        ("a URI twice, two wanted", same_uri, constraint(r#"builder"]"#, r#"builder","spiffe://example.com/other"]"#), false),
        ("a URI missing", no_uri, BUILDER.into(), false),
        ("a URI missing, absent", no_uri, constraint(r#"["spiffe://example.com/builder"]"#, "[]"), true),
        ("the address of a machine", address, BUILDER.into(), false),
        ("the address of a machine, any", address, ANY.into(), true),
    ];
    for (what, change, constraint, verified) in cases {
        let mut given = Given::new(Form::Legacy);
        given.constraints(&[&constraint]);
        given.put(&with(change));
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-constraints", "{what}"),
        }
        // One that is met suffices, wherever it stands.
        given.constraints(&[&constraint, ANY]);
        given.report();
    }
}

#[test]
fn a_name_in_a_form_that_is_not_read_is_refused_whatever_is_allowed() {
    let mut given = Given::new(Form::Legacy);
    let mut params = functionary();
    let wide = rcgen::string::BmpString::try_from("builder").unwrap();
    params.distinguished_name.push(DnType::CommonName, DnValue::BmpString(wide));
    given.constraints(&[ANY]);
    given.put(&params);
    assert_eq!(given.refused(), "in-toto-certificate-malformed");
}

#[test]
fn what_a_key_may_be_used_for_is_looked_at() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, OcspSigning, ServerAuth, TimeStamping};
    let mut given = Given::new(Form::Legacy);
    for (usages, verified) in [
        (vec![], true),
        (vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment], true),
        (vec![KeyUsagePurpose::KeyEncipherment], false),
        (vec![KeyUsagePurpose::ContentCommitment], false),
        (vec![KeyUsagePurpose::KeyCertSign], false),
    ] {
        let mut params = functionary();
        params.key_usages = usages.clone();
        given.put(&params);
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-usage", "{usages:?}"),
        }
    }
    for (purposes, verified) in [
        (vec![CodeSigning], true),
        (vec![ClientAuth, ServerAuth], true),
        (vec![Any], true),
        (vec![ClientAuth], false),
        (vec![TimeStamping, OcspSigning], false),
    ] {
        let mut params = functionary();
        params.extended_key_usages = purposes.clone();
        given.put(&params);
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-usage", "{purposes:?}"),
        }
    }
}

#[test]
fn critical_extensions_that_nobody_knows_are_refused_in_every_certificate() {
    let odd = |mut params: CertificateParams| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
        params
    };
    let mut given = Given::new(Form::Legacy);
    given.put(&odd(functionary()));
    assert_eq!(given.refused(), "in-toto-certificate-extension");
    given.put(&functionary());
    let root = Authority::root(odd(authority("root")), 40);
    given.chain.layout.authorities[0] = vec![("r".into(), root.object())];
    assert_eq!(given.chain.rejected().report.steps[0].unusable[0].1.code(), "in-toto-certificate-extension");
}

#[test]
fn an_authority_vouches_only_for_names_that_it_may() {
    let constrained = |subtree: GeneralSubtree| {
        let mut params = authority("between");
        params.name_constraints = Some(NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: vec![] });
        params
    };
    let any_dns = BUILDER.replace(r#""dns_names":[""]"#, r#""dns_names":["*"]"#).replace(r#"["spiffe://example.com/builder"]"#, "[]");
    for (subtree, name, verified) in [
        (GeneralSubtree::DnsName("example.com".into()), "b.example.com", true),
        (GeneralSubtree::DnsName("example.com".into()), "b.example.org", false),
        // A kind of constraint that is not checked lets nothing through.
        (GeneralSubtree::DirectoryName(rcgen::DistinguishedName::new()), "b.example.com", false),
    ] {
        let mut given = Given::new(Form::Legacy);
        let mut params = functionary();
        params.subject_alt_names = vec![dns(name)];
        given.constraints(&[&any_dns]);
        let between = Authority::below(&given.root, constrained(subtree.clone()), 42);
        given.chain.layout.authorities[1] = vec![("i".into(), between.object())];
        given.put_pem(&between.sign(&params, &key(BUILDER_KEY)));
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-chain", "{name}"),
        }
        // The same of a root.
        let mut params_of_root = constrained(subtree);
        params_of_root.distinguished_name = authority("root").distinguished_name;
        given.root = Authority::root(params_of_root, 40);
        given.chain.layout.authorities = [vec![("r".into(), given.root.object())], vec![]];
        given.put(&params);
        match verified {
            true => drop(given.report()),
            false => assert_eq!(given.refused(), "in-toto-certificate-chain", "{name}"),
        }
    }
}

#[test]
fn a_certificate_that_does_not_belong_to_the_signature_is_refused() {
    for form in FORMS {
        let mut given = Given::new(form);
        let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&key(60), Some(&pem))], form));
        assert_eq!(given.refused(), "in-toto-certificate-signature");
        // Nor does it count for the signature that it does not stand beside.
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&key(60), Some(&pem)), (&key(BUILDER_KEY), None)], form));
        assert_eq!(given.refused(), "in-toto-certificate-signature");
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&key(60), Some(&pem)), (&key(BUILDER_KEY), Some(&pem))], form));
        assert_eq!(given.report().steps[0].counted, [public(BUILDER_KEY)]);
        // A signature over something else.
        let text = String::from_utf8(signed(&[(&key(BUILDER_KEY), Some(&pem))], form)).unwrap();
        let other = String::from_utf8(signed_link("other", &[(&key(BUILDER_KEY), Some(&pem))], form)).unwrap();
        let (payload, _) = text.split_once(r#""signatures":["#).unwrap();
        let (_, signatures) = other.split_once(r#""signatures":["#).unwrap();
        given.chain.files.insert("build.0123abcd.link".into(), format!(r#"{payload}"signatures":[{signatures}"#).into_bytes());
        assert_eq!(given.refused(), "in-toto-certificate-signature");
        // No certificate at all, and none in PEM.
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&key(BUILDER_KEY), None)], form));
        assert_eq!(given.refused(), "in-toto-link-signature");
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&key(BUILDER_KEY), Some("*"))], form));
        assert_eq!(given.refused(), "in-toto-certificate-malformed");
    }
}

#[test]
fn a_certificate_counts_for_its_own_file_alone() {
    let mut given = Given::new(Form::Legacy);
    given.chain.layout.steps[0].threshold = 2;
    given.chain.files.insert("build.0123abce.link".into(), signed(&[(&key(BUILDER_KEY), None)], Form::Legacy));
    let report = given.chain.rejected().report;
    assert_eq!(verdicts(&report.steps[0].files), ["counted", "in-toto-link-signature"]);
}

#[test]
fn keys_and_certificates_are_counted_together_as_distinct_public_keys() {
    let mut given = Given::new(Form::Legacy);
    let step = &mut given.chain.layout.steps[0];
    (step.threshold, step.pubkeys) = (2, vec![keyid(1), keyid(BUILDER_KEY)]);
    given.chain.layout.keys = [1, BUILDER_KEY].map(|number| (keyid(number), key_object(&public(number)))).to_vec();
    // The functionary's own key, once by the certificate and once by the layout, in two files and in one.
    given.chain.put("build", BUILDER_KEY, &[], &[("app", "1")]);
    let told = given.chain.told();
    assert!(told.contains("1 of 2 required keys"), "{told}");
    let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
    let twice = signed(&[(&key(BUILDER_KEY), None), (&key(BUILDER_KEY), Some(&pem))], Form::Legacy);
    given.chain.files.insert("build.0123abcd.link".into(), twice);
    assert_eq!(given.chain.refused(), ["in-toto-threshold"]);
    // Two certificates of one key.
    let again = given.root.sign(&functionary(), &key(BUILDER_KEY));
    given.chain.files.insert("build.0123abce.link".into(), signed(&[(&key(BUILDER_KEY), Some(&again))], Form::Legacy));
    assert_eq!(given.chain.refused(), ["in-toto-threshold"]);
    // Somebody else.
    given.chain.put("build", 1, &[], &[("app", "1")]);
    let counted = given.report().steps[0].counted.clone();
    assert_eq!(counted, [public(1), public(BUILDER_KEY)]);
}

#[test]
fn two_certificates_reach_a_threshold_of_two_whatever_the_order() {
    for other_first in [false, true] {
        let mut given = Given::new(Form::Dsse);
        given.chain.layout.steps[0].threshold = 2;
        assert_eq!(given.chain.refused(), ["in-toto-threshold"]);
        let pem = given.root.sign(&functionary(), &key(61));
        let name = if other_first { "build.00000000.link" } else { "build.ffffffff.link" };
        given.chain.files.insert(name.into(), signed(&[(&key(61), Some(&pem))], Form::Dsse));
        assert_eq!(given.report().steps[0].counted.len(), 2);
    }
}

#[test]
fn links_by_certificates_that_differ_contradict_each_other() {
    let mut given = Given::new(Form::Legacy);
    let pem = given.root.sign(&functionary(), &key(61));
    let other = signed_payload(&link("build", &[], &[("app", "2")]), &[(&key(61), Some(&pem))], Form::Legacy);
    given.chain.files.insert("build.ffffffff.link".into(), other);
    assert_eq!(given.chain.refused(), ["in-toto-disagreement"]);
}

#[test]
fn the_link_of_another_step_is_refused() {
    let mut given = Given::new(Form::Legacy);
    let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
    given.chain.files.insert("build.0123abcd.link".into(), signed_link("test", &[(&key(BUILDER_KEY), Some(&pem))], Form::Legacy));
    assert_eq!(given.refused(), "in-toto-link-name");
}

#[test]
fn a_certificate_counts_only_for_the_step_that_takes_it() {
    let mut given = Given::new(Form::Legacy);
    let mut test = step("test", &[1], &[], &["DISALLOW *"]);
    test.cert_constraints = vec![BUILDER.replace("builder", "tester")];
    given.chain.layout.steps.push(test);
    let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
    let file = signed_payload(&link("test", &[], &[]), &[(&key(BUILDER_KEY), Some(&pem))], Form::Legacy);
    given.chain.files.insert("test.0123abcd.link".into(), file);
    let report = given.chain.rejected().report;
    assert_eq!(verdicts(&report.steps[1].files), ["in-toto-certificate-constraints"]);
}

#[test]
fn a_sublayout_by_a_certificate_stands_for_the_step() {
    let mut given = Given::new(Form::Legacy);
    let inner = Layout::of(&[3], vec![step("compile", &[3], &[], &["CREATE app", "DISALLOW *"])]);
    let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
    let file = signed_payload(&inner.to_json(), &[(&key(BUILDER_KEY), Some(&pem))], Form::Legacy);
    given.chain.files.insert("build.0123abcd.link".into(), file);
    given.chain.put_signed(&format!("build.0123abcd/{}", crate::chain::file("compile", 3)), &link("compile", &[], &[("app", "1")]), &[3]);
    let report = given.report();
    assert_eq!(report.steps[0].counted, [public(BUILDER_KEY)]);
    assert_eq!(report.steps[0].files[0].certified.len(), 1);
    // The authorities of the layout are none of the sublayout.
    let mut inner = inner;
    inner.steps[0].cert_constraints = vec![BUILDER.into()];
    inner.steps[0].pubkeys.clear();
    let file = signed_payload(&inner.to_json(), &[(&key(BUILDER_KEY), Some(&pem))], Form::Legacy);
    given.chain.files.insert("build.0123abcd.link".into(), file);
    let compile = signed_payload(&link("compile", &[], &[("app", "1")]), &[(&key(BUILDER_KEY), Some(&pem))], Form::Legacy);
    given.chain.files.insert("build.0123abcd/compile.0123abcd.link".into(), compile);
    assert_eq!(given.refused(), "in-toto-sublayout");
}

#[test]
fn names_that_are_no_links_of_the_step_are_not_asked_for() {
    let mut given = Given::new(Form::Legacy);
    for name in [
        "build.0123ABCD.link",
        "build.0123abc.link",
        "build.0123abcde.link",
        "build.0123abcg.link",
        "build.0123abcd.link.bak",
        "build.x.0123abcd.link",
        "xbuild.0123abcd.link",
        "build.0123abcd",
        "build.../../../.link",
        "build..//////.link",
    ] {
        given.chain.files.insert(name.into(), b"{}".to_vec());
    }
    given.report();
    assert_eq!(given.chain.asked, ["build.*", "build.0123abcd.link"]);
}

#[test]
fn files_that_keys_name_are_asked_for_once() {
    let mut given = Given::new(Form::Legacy);
    given.chain.layout.steps[0].pubkeys = vec![keyid(1)];
    given.chain.layout.keys = vec![(keyid(1), key_object(&public(1)))];
    given.chain.put("build", 1, &[], &[("app", "1")]);
    given.report();
    let file = crate::chain::file("build", 1);
    assert_eq!(given.chain.asked.iter().filter(|asked| **asked == file).count(), 1);
}

#[test]
fn a_folder_that_cannot_be_listed_leaves_it_open() {
    let mut given = Given::new(Form::Legacy);
    given.chain.failing.insert("build.*".into(), Failure::Unavailable("no".into()));
    assert_eq!(given.chain.class(), Class::Unknown);
    // Where enough others vouch, nothing is open.
    given.chain.layout.steps[0].pubkeys = vec![keyid(1)];
    given.chain.layout.keys = vec![(keyid(1), key_object(&public(1)))];
    given.chain.put("build", 1, &[], &[("app", "1")]);
    given.report();
}

#[test]
fn more_files_than_the_limit_leave_it_open_and_are_not_asked_for() {
    for lists_all in [true, false] {
        let mut given = Given::new(Form::Legacy);
        given.chain.settings.limits.names = 3;
        given.chain.lists_all = lists_all;
        for number in 0..3 {
            given.chain.files.insert(format!("build.0000000{number}.link"), b"{}".to_vec());
        }
        assert_eq!(given.chain.class(), Class::Unknown);
        assert_eq!(given.chain.asked.len(), 4);
        given.chain.files.remove("build.00000002.link");
        given.report();
    }
}

#[test]
fn more_certificates_than_the_limit_leave_it_open() {
    let mut given = Given::new(Form::Legacy);
    let pem = given.root.sign(&functionary(), &key(BUILDER_KEY));
    let (stranger, builder) = (key(60), key(BUILDER_KEY));
    for (strangers, class) in [(15, None), (16, Some(Class::Unknown))] {
        let mut signers: Vec<(&PrivateKey, Option<&str>)> = vec![(&stranger, Some(pem.as_str())); strangers];
        signers.push((&builder, Some(pem.as_str())));
        given.chain.files.insert("build.0123abcd.link".into(), signed(&signers, Form::Legacy));
        match class {
            None => drop(given.report()),
            Some(class) => assert_eq!(given.chain.class(), class),
        }
    }
}

#[test]
fn authorities_without_end_are_given_up_on() {
    let mut given = Given::new(Form::Legacy);
    // All have one name, so that each could be the one above each; and the root that is named is none of theirs.
    let authorities: Vec<Authority> = (0..64).map(|number| Authority::root(authority("root"), 100 + number)).collect();
    let objects = authorities.iter().enumerate().map(|(number, authority)| (format!("i{number}"), authority.object()));
    given.chain.layout.authorities[1] = objects.collect();
    let stranger = Authority::root(authority("root"), 99);
    given.put_pem(&stranger.sign(&functionary(), &key(BUILDER_KEY)));
    let report = given.chain.rejected().report;
    assert_eq!((verdicts(&report.steps[0].files), report.class()), (vec!["in-toto-certificate-limit"], Some(Class::Unknown)));
    given.put(&functionary());
    given.report();
    let authorities: Vec<(String, String)> = (0..65).map(|number| (format!("i{number}"), given.root.object())).collect();
    for member in [0, 1] {
        let mut given = Given::new(Form::Legacy);
        given.chain.layout.authorities[member] = authorities.clone();
        assert_eq!(given.chain.refused(), ["in-toto-too-many"]);
    }
}

#[test]
fn a_layout_that_lists_an_authority_with_another_key_or_keyid_is_not_believed() {
    let mut given = Given::new(Form::Legacy);
    let object = given.root.object();
    let other_key = authority_object(&given.root.pem, &key_object(&public(41)));
    let other_keyid = object.replacen('{', r#"{"keyid":"s","#, 1);
    let same_keyid = object.replacen('{', r#"{"keyid":"r","#, 1);
    let private = object.replace(r#""certificate""#, r#""private":"00","certificate""#);
    let none = key_object(&public(40));
    for (object, code) in [
        (other_key, Some("in-toto-certificate-contradiction")),
        (other_keyid, Some("in-toto-certificate-contradiction")),
        (same_keyid, None),
        (private, Some("in-toto-private-key")),
        (none, Some("in-toto-certificate-malformed")),
    ] {
        given.chain.layout.authorities[0] = vec![("r".into(), object)];
        match code {
            None => drop(given.report()),
            Some(code) => {
                let report = given.chain.rejected().report;
                assert_eq!(report.steps[0].unusable[0].1.code(), code);
                assert_eq!(report.class(), Some(Class::NotVerified));
            }
        }
    }
}

#[test]
fn malformed_members_are_errors_of_the_layout() {
    let given = Given::new(Form::Legacy);
    let layout = given.chain.layout.to_json();
    for (from, to) in [
        (r#""rootcas":{"#, r#""rootcas":[],"x":{"#),
        (r#""rootcas":{"#, r#""rootcas":{"y":1,"#),
        (r#""cert_constraints":["#, r#""cert_constraints":[1,"#),
        (r#""cert_constraints":["#, r#""cert_constraints":{},"x":["#),
        (r#""common_name":"builder""#, r#""common_name":1"#),
        (r#""uris":["#, r#""uris":[null,"#),
    ] {
        assert!(layout.contains(from));
        let mut chain = given.chain.clone();
        let document = crate::chain::sign(&layout.replace(from, to), &[&key(crate::chain::OWNER)], Form::Dsse);
        let rejected = chain.verify_document(document).unwrap_err();
        assert_eq!(rejected.class(), Class::UntrustedMetadata, "{to}");
    }
}

#[test]
fn the_report_names_the_certificate() {
    let mut given = Given::new(Form::Dsse);
    let json = given.report().to_json(touchmark_in_toto::Detail::Rules);
    let file = json.get("layouts").and_then(Value::as_array).unwrap()[0].get("steps").and_then(Value::as_array).unwrap()[0].clone();
    let certified = file.get("files").and_then(Value::as_array).unwrap()[0].get("certified").and_then(Value::as_array).unwrap()[0].clone();
    assert_eq!(certified.get("root").and_then(Value::as_str), Some("r"));
    assert_eq!(certified.get("key").and_then(Value::as_str), Some(public(BUILDER_KEY).key_id().as_str()));
}

/// RSA certificates of OpenSSL, whose roots sign by PKCS #1 v1.5 and by PSS (testdata/in-toto/x509).
#[test]
fn chains_of_rsa_certificates_are_taken() {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/x509").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    for kind in ["pkcs1-sha256", "pkcs1-sha384", "pkcs1-sha512", "pss", "p384-sha256", "p256-sha384"] {
        let mut given = Given::new(Form::Legacy);
        given.chain.at = UnixTime::parse_signed("2027-06-01T00:00:00Z").unwrap().seconds();
        let object = format!(r#"{{"keyval":{{"public":"{}"}}}}"#, read(&format!("{kind}.root.pem")).replace('\n', "\\n"));
        given.chain.layout.authorities[0] = vec![("r".into(), object)];
        let signer = key(BUILDER_KEY);
        let leaf = read(&format!("{kind}.pem"));
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&signer, Some(&leaf))], Form::Legacy));
        let counted = given.report().steps[0].counted.clone();
        assert_eq!(counted, [signer.public_key().clone()], "{kind}");
        // One bit of what the root signed: a byte of the serial number.
        let der: Vec<u8> = touchmark_envelope::pem::one("CERTIFICATE", leaf.as_bytes()).unwrap();
        let mut other = der.clone();
        let serial = der.windows(2).position(|two| two == [2, 20]).unwrap();
        other[serial + 10] ^= 1;
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &other);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&signer, Some(&pem))], Form::Legacy));
        assert_eq!(given.refused(), "in-toto-certificate-chain", "{kind}");
    }
    for kind in ["pkcs1-sha1", "rsa-1024"] {
        let mut given = Given::new(Form::Legacy);
        given.chain.at = UnixTime::parse_signed("2027-06-01T00:00:00Z").unwrap().seconds();
        let object = format!(r#"{{"keyval":{{"public":"{}"}}}}"#, read(&format!("{kind}.root.pem")).replace('\n', "\\n"));
        given.chain.layout.authorities[0] = vec![("r".into(), object)];
        let signer = key(BUILDER_KEY);
        let leaf = read(&format!("{kind}.pem"));
        given.chain.files.insert("build.0123abcd.link".into(), signed(&[(&signer, Some(&leaf))], Form::Legacy));
        assert_eq!(given.refused(), "in-toto-certificate-chain", "{kind}");
    }
}

#[test]
fn a_key_of_a_certificate_is_known_by_its_value() {
    let mut given = Given::new(Form::Legacy);
    let report = given.report();
    let raw: &PublicKey = &report.steps[0].counted[0];
    assert_eq!(hex(raw.as_raw()), hex(public(BUILDER_KEY).as_raw()));
}
