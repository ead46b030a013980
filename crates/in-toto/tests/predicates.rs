//! Predicates, read as their specifications want them: the examples of these, and what each requires, taken away.

#[cfg(test)]
mod tests {
    use touchmark_envelope::digest::Algorithm;
    use touchmark_envelope::json::{Object, Value, parse};
    use touchmark_envelope::statement::Statement;
    use touchmark_envelope::{Digest, UnixTime};
    use touchmark_in_toto::predicate::{self, Class, Predicate, ResourceDescriptor, link, provenance, release, svr, test_result, vsa};
    use touchmark_in_toto::{Error, predicate::Predicate::*};

    /// After the example of slsa.dev/provenance/v1.
    const PROVENANCE: &str = r#"{
      "buildDefinition": {
        "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        "externalParameters": {"workflow": {"ref": "refs/heads/main", "repository": "https://github.com/octocat/hello-world", "path": ".github/workflow/release.yml"}},
        "internalParameters": {"github": {"event_name": "workflow_dispatch"}},
        "resolvedDependencies": [
          {"uri": "git+https://github.com/octocat/hello-world@refs/heads/main", "digest": {"gitCommit": "c27d339ee6075c1f744c5d4b200f7901aad2c369"}},
          {"uri": "https://github.com/actions/virtual-environments/releases/tag/ubuntu20/20220515.1"}
        ]
      },
      "runDetails": {
        "builder": {"id": "https://github.com/actions/runner/github-hosted", "version": {"runner": "2.3"}, "builderDependencies": []},
        "metadata": {"invocationId": "https://github.com/octocat/hello-world/actions/runs/1536140711/attempts/1", "startedOn": "2023-01-01T12:34:56Z"},
        "byproducts": [{"name": "log", "content": "AA=="}]
      }
    }"#;
    const LINK: &str = r#"{"name": "write", "command": ["vi", "a"], "materials": [{"name": "a", "digest": {"sha256": "00"}}], "byproducts": {"return-value": 0}, "environment": {}}"#;
    /// The example of slsa.dev/verification_summary/v1, with digests that are some.
    const SUMMARY: &str = r#"{
      "verifier": {"id": "https://example.com/publication_verifier"},
      "timeVerified": "1985-04-12T23:20:50.52Z",
      "resourceUri": "https://example.com/example-1.2.3.tar.gz",
      "policy": {"uri": "https://example.com/example_tarball.policy", "digest": {"sha256": "1234"}},
      "inputAttestations": [{"uri": "https://example.com/provenances/example-1.2.3.tar.gz.intoto.jsonl", "digest": {"sha256": "abcd"}}],
      "verificationResult": "PASSED",
      "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
      "dependencyLevels": {"SLSA_BUILD_LEVEL_3": 5, "SLSA_BUILD_LEVEL_2": 7, "SLSA_BUILD_LEVEL_1": 1},
      "slsaVersion": "1.0"
    }"#;
    /// The example of test-result.md, with fewer tests.
    const TEST_RESULT: &str = r#"{
      "result": "PASSED",
      "configuration": [{
        "name": ".github/workflows/ci.yml",
        "downloadLocation": "https://github.com/in-toto/in-toto/blob/d20ace7968ba43c0219f62d71334c1095bab1602/.github/workflows/ci.yml",
        "digest": {"gitBlob": "ebe4add40f63c3c98bc9b32ff1e736f04120b023"}
      }],
      "url": "https://github.com/in-toto/in-toto/actions/runs/4425592351",
      "passedTests": ["build (3.7, ubuntu-latest, py)", "build (3.x, ubuntu-latest, lint)"],
      "warnedTests": [],
      "failedTests": []
    }"#;
    /// The example of svr.md with a policy.
    const RESULT: &str = r#"{
      "verifier": {
        "id": "https://example.com/policy_engine/v1",
        "policies": [{"uri": "https://example.com/policies/production-deployment", "digest": {"sha256": "789abc012def"}}]
      },
      "timeCreated": "2024-03-15T14:22:00Z",
      "properties": ["SLSA_BUILD_LEVEL_3", "EXAMPLE_DEPLOYMENT_APPROVED"]
    }"#;
    const RELEASE: &str = r#"{"purl": "pkg:npm/@angular/http@7.2.16", "packageId": "1234567890"}"#;

    const ALL: [(&str, &str); 6] = [
        (provenance::TYPE, PROVENANCE),
        (link::TYPE, LINK),
        (vsa::TYPE, SUMMARY),
        (test_result::TYPE, TEST_RESULT),
        (svr::TYPE, RESULT),
        (release::TYPE, RELEASE),
    ];

    /// `text` with what `pointer` points at replaced, or taken away.
    fn changed(text: &str, pointer: &str, to: Option<&str>) -> String {
        fn member<'v>(object: &mut Object<'v>, rest: &[&str], to: Option<Value<'v>>) {
            let [first, rest @ ..] = rest else { return };
            match (rest, to) {
                ([], Some(to)) => object.insert((*first).to_owned(), to),
                ([], None) => assert!(object.remove(first).is_some(), "{first}"),
                (rest, to) => match object.get_mut(first).expect(first) {
                    Value::Object(object) => member(object, rest, to),
                    Value::Array(items) => match items.first_mut() {
                        Some(Value::Object(object)) => member(object, &rest[1..], to),
                        _ => panic!("{first}"),
                    },
                    _ => panic!("{first}"),
                },
            }
        }
        let mut value = parse(text.as_bytes(), text.len()).unwrap();
        let to = to.map(|to| parse(to.as_bytes(), to.len()).unwrap());
        let Value::Object(object) = &mut value else { panic!() };
        member(object, &pointer.split('/').skip(1).collect::<Vec<_>>(), to);
        String::from_utf8(value.to_vec()).unwrap()
    }

    fn refused(predicate_type: &str, text: &str) -> String {
        match Predicate::parse(predicate_type, Some(text)) {
            Err(Error::PredicateMember { at, .. }) => at,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_examples_of_the_specifications_are_read() {
        for (predicate_type, text) in ALL {
            let read = Predicate::parse(predicate_type, Some(text)).unwrap();
            // Members that nobody knows are ignored, and null is none.
            let more = changed(text, "/other", Some("[1.5, null]"));
            assert_eq!(Predicate::parse(predicate_type, Some(&more)).unwrap(), read);
            let is_link = matches!(read, Provenance(_) | Link(_));
            assert_eq!(Class::of(predicate_type) == Class::Link, is_link, "{predicate_type}");
        }
        let Ok(Provenance(read)) = Predicate::parse(provenance::TYPE, Some(PROVENANCE)) else { panic!() };
        assert_eq!(read.builder.id, "https://github.com/actions/runner/github-hosted");
        assert_eq!((read.builder.version["runner"].as_str(), read.byproducts.len()), ("2.3", 1));
        assert!(read.external_parameters.contains("workflow"));
        assert_eq!(read.started_on, UnixTime::parse_signed("2023-01-01T12:34:56Z").ok());
        let Ok(Summary(read)) = Predicate::parse(vsa::TYPE, Some(SUMMARY)) else { panic!() };
        assert_eq!((read.outcome, read.dependency_levels["SLSA_BUILD_LEVEL_2"]), (vsa::Outcome::Passed, 7));
        let Ok(TestResult(read)) = Predicate::parse(test_result::TYPE, Some(TEST_RESULT)) else { panic!() };
        assert_eq!((read.outcome, read.passed_tests.len(), read.failed_tests.len()), (test_result::Outcome::Passed, 2, 0));
        let Ok(Link(read)) = Predicate::parse(link::TYPE, Some(LINK)) else { panic!() };
        assert_eq!((read.name.as_str(), read.command.len()), ("write", 2));
        let Ok(Release(read)) = Predicate::parse(release::TYPE_0_2, Some(RELEASE)) else { panic!() };
        assert_eq!(read.package_id.as_deref(), Some("1234567890"));
    }

    #[test]
    fn a_predicate_of_another_type_is_kept_and_never_taken_for_one_that_is_known() {
        for other in ["https://slsa.dev/provenance/v0.2", "https://in-toto.io/attestation/svr/v0.1", "https://slsa.dev/provenance/v1/", ""]
        {
            let Ok(Unknown { predicate_type, value }) = Predicate::parse(other, Some(r#"{"a":[1.50]}"#)) else { panic!("{other}") };
            assert_eq!((predicate_type.as_str(), value.to_vec().as_slice()), (other, &br#"{"a":[1.50]}"#[..]));
        }
        // Unset is treated as empty (statement.md).
        assert!(matches!(Predicate::parse("x:y", None), Ok(Unknown { value, .. }) if value == Value::Object(Object::new())));
        assert!(Predicate::parse("x:y", Some("[]")).is_err());
        assert!(Predicate::parse(svr::TYPE, None).is_err());
    }

    #[test]
    fn what_a_specification_requires_must_be_there() {
        for (predicate_type, text, pointers) in [
            (
                provenance::TYPE,
                PROVENANCE,
                &["/buildDefinition/buildType", "/buildDefinition/externalParameters", "/runDetails/builder/id"][..],
            ),
            (link::TYPE, LINK, &["/name"]),
            (
                vsa::TYPE,
                SUMMARY,
                &["/verifier/id", "/timeVerified", "/resourceUri", "/policy", "/policy/uri", "/verificationResult", "/verifiedLevels"],
            ),
            (test_result::TYPE, TEST_RESULT, &["/result", "/configuration"]),
            (svr::TYPE, RESULT, &["/verifier/id", "/verifier/policies", "/timeCreated", "/properties"]),
            (release::TYPE, RELEASE, &["/purl"]),
        ] {
            for pointer in pointers {
                let at = refused(predicate_type, &changed(text, pointer, None));
                assert!(pointer.starts_with(&at), "{pointer}: {at}");
                for wrong in ["null", "\"\"", "1", "[[]]"] {
                    refused(predicate_type, &changed(text, pointer, Some(wrong)));
                }
            }
        }
    }

    #[test]
    fn members_that_are_there_are_what_they_must_be() {
        for (predicate_type, text, pointer, to) in [
            (provenance::TYPE, PROVENANCE, "/buildDefinition/buildType", "\"workflow\""),
            (provenance::TYPE, PROVENANCE, "/runDetails/builder/id", "\"HTTPS://github.com/x\""),
            (provenance::TYPE, PROVENANCE, "/runDetails/builder/id", "\"https://GitHub.com/x\""),
            (provenance::TYPE, PROVENANCE, "/runDetails/metadata/startedOn", "\"2023-01-01T12:34:56+01:00\""),
            (provenance::TYPE, PROVENANCE, "/runDetails/metadata/finishedOn", "1"),
            (provenance::TYPE, PROVENANCE, "/runDetails/metadata", "[]"),
            (provenance::TYPE, PROVENANCE, "/buildDefinition/resolvedDependencies", "{}"),
            (provenance::TYPE, PROVENANCE, "/buildDefinition/resolvedDependencies/0/digest", "{}"),
            (provenance::TYPE, PROVENANCE, "/buildDefinition/internalParameters", "[]"),
            (link::TYPE, LINK, "/command", "\"vi a\""),
            (link::TYPE, LINK, "/command", "[1]"),
            (link::TYPE, LINK, "/materials", r#"[{"name": "a", "digest": {"sha256": "00"}}, {"name": "a", "digest": {"sha256": "01"}}]"#),
            (link::TYPE, LINK, "/materials", r#"[{"digest": {"sha256": "00"}}]"#),
            (link::TYPE, LINK, "/materials", r#"[{"name": "a", "uri": "x:y"}]"#),
            (link::TYPE, LINK, "/byproducts", "[]"),
            (vsa::TYPE, SUMMARY, "/verificationResult", "\"passed\""),
            (vsa::TYPE, SUMMARY, "/verifiedLevels", r#"["FAILED"]"#),
            (vsa::TYPE, SUMMARY, "/verifiedLevels", r#"["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_3"]"#),
            (vsa::TYPE, SUMMARY, "/inputAttestations/0/digest", "null"),
            (vsa::TYPE, SUMMARY, "/dependencyLevels", r#"{"SLSA_BUILD_LEVEL_3": -1}"#),
            (vsa::TYPE, SUMMARY, "/dependencyLevels", r#"{"SLSA_BUILD_LEVEL_3": 1.0}"#),
            (vsa::TYPE, SUMMARY, "/slsaVersion", "\"v1\""),
            (vsa::TYPE, SUMMARY, "/timeVerified", "\"1985-04-12T23:20:50.52+00:00\""),
            (test_result::TYPE, TEST_RESULT, "/result", "\"SKIPPED\""),
            (test_result::TYPE, TEST_RESULT, "/failedTests", "[1]"),
            (test_result::TYPE, TEST_RESULT, "/url", "\"x\""),
            (test_result::TYPE, TEST_RESULT, "/configuration", r#"["ci.yml"]"#),
            (svr::TYPE, RESULT, "/properties", r#"[""]"#),
            (svr::TYPE, RESULT, "/verifier/policies", r#"[{"name": "x"}]"#),
            (release::TYPE, RELEASE, "/purl", "\"pkg:npm/@angular/http\""),
            (release::TYPE, RELEASE, "/purl", "\"https://example.com/x@1\""),
            (release::TYPE, RELEASE, "/packageId", "1"),
        ] {
            refused(predicate_type, &changed(text, pointer, Some(to)));
        }
        // The honest neighbours.
        for (predicate_type, text, pointer, to) in [
            (provenance::TYPE, PROVENANCE, "/buildDefinition/externalParameters", "{}"),
            (provenance::TYPE, PROVENANCE, "/buildDefinition/resolvedDependencies", "null"),
            (provenance::TYPE, PROVENANCE, "/runDetails/metadata", "null"),
            (vsa::TYPE, SUMMARY, "/verifiedLevels", r#"["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_2", "ACME"]"#),
            (vsa::TYPE, SUMMARY, "/verifiedLevels", "[]"),
            (svr::TYPE, RESULT, "/verifier/policies", "[]"),
            (svr::TYPE, RESULT, "/properties", "[]"),
            (test_result::TYPE, TEST_RESULT, "/configuration", "[]"),
        ] {
            let text = changed(text, pointer, Some(to));
            assert!(Predicate::parse(predicate_type, Some(&text)).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_predicate_with_too_many_values_is_refused() {
        let many = |count: usize| format!(r#"{{"x":[{}0]}}"#, "0,".repeat(count - 3));
        assert!(Predicate::parse("x:y", Some(&many(predicate::MAX_VALUES))).is_ok());
        assert!(matches!(Predicate::parse("x:y", Some(&many(predicate::MAX_VALUES + 1))), Err(Error::Json(_))));
    }

    #[test]
    fn dependencies_without_a_name_or_a_digest_are_materials_by_their_uri() {
        let Ok(Provenance(read)) = Predicate::parse(provenance::TYPE, Some(PROVENANCE)) else { panic!() };
        let materials = read.materials().unwrap();
        let found: Vec<(&str, usize)> = materials.iter().map(|one| (one.name, one.digests.iter().count())).collect();
        let expected = [
            ("git+https:/github.com/octocat/hello-world@refs/heads/main", 1),
            ("https:/github.com/actions/virtual-environments/releases/tag/ubuntu20/20220515.1", 0),
        ];
        assert_eq!(found, expected);
        let [one, bare] = expected.map(|(name, _)| materials.get(name).unwrap());
        assert!(one.match_as_sets(one) && !bare.match_as_sets(bare));
        for twice in [r#"[{"name":"a","uri":"x:y"},{"name":"a","uri":"x:z"}]"#, r#"[{"uri":"https://a/../b"}]"#, r#"[{"content":"AA=="}]"#]
        {
            let text = changed(PROVENANCE, "/buildDefinition/resolvedDependencies", Some(twice));
            let Ok(Provenance(read)) = Predicate::parse(provenance::TYPE, Some(&text)) else { panic!() };
            assert!(read.materials().is_err(), "{twice}");
        }
    }

    #[test]
    fn subjects_are_artifacts_that_can_be_compared() {
        let of = |subjects: &str| {
            let text = format!(r#"{{"subject":[{subjects}]}}"#);
            predicate::subjects(&parse(text.as_bytes(), text.len()).unwrap()).and_then(|all| predicate::artifacts(&all))
        };
        let bare = r#"{"subject":[{"name":"a","uri":"x:y"}]}"#;
        assert!(predicate::subjects(&parse(bare.as_bytes(), bare.len()).unwrap()).is_err(), "a subject has a digest");
        let found = of(r#"{"name":"a","digest":{"sha256":"00","arn":"arn:x"}},{"digest":{"gitCommit":"01"}}"#).unwrap();
        assert_eq!(found.iter().map(|one| one.name).collect::<Vec<_>>(), ["a", "gitCommit:01"]);
        assert_eq!(found.get("a").unwrap().iter().collect::<Vec<_>>(), [("sha256", "00")]);
        for bad in [
            "",
            r#"{"name":"a"}"#,
            r#"{"name":"a","uri":"x:y"}"#,
            r#"{"name":"a","digest":{"arn":"arn:x"}}"#,
            r#"{"digest":{"md5":"00"}}"#,
            r#"{"name":"../a","digest":{"sha256":"00"}}"#,
            r#"{"name":"a","digest":{"sha256":"00"}},{"name":"a","digest":{"sha256":"00"}}"#,
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    fn digest() -> Digest {
        Algorithm::Sha256.digest(b"x")
    }

    fn at() -> UnixTime {
        UnixTime::parse_signed("2030-01-01T00:00:00Z").unwrap()
    }

    #[test]
    fn a_summary_is_written_as_it_is_read() {
        let policy = || ResourceDescriptor::at("https://example.com/policy", Some(&digest()));
        let new = |outcome, verifier, levels: &[&str]| vsa::Summary::new(outcome, verifier, "pkg:oci/x@1", policy(), at(), levels);
        let mut summary = new(vsa::Outcome::Passed, "https://example.com/verifier", &["SLSA_BUILD_LEVEL_3", "ACME"]).unwrap();
        summary.input_attestations.push(ResourceDescriptor::of(Some("build.link"), &digest()));
        summary.slsa_version = Some("1.0".into());
        let subject = ResourceDescriptor::of(Some("x"), &digest());
        let text = summary.statement(std::slice::from_ref(&subject)).unwrap();
        let statement = Statement::parse(&text).unwrap();
        assert_eq!((statement.predicate_type.as_str(), statement.subjects[0].digests[0]), (vsa::TYPE, digest()));
        assert_eq!(Predicate::parse(vsa::TYPE, statement.predicate).unwrap(), Summary(Box::new(summary.clone())));
        assert_eq!(new(vsa::Outcome::Failed, "https://example.com/verifier", &[]).unwrap().verified_levels, ["FAILED"]);
        // What nobody would take is not written.
        assert!(new(vsa::Outcome::Passed, "example.com", &[]).is_err());
        assert!(new(vsa::Outcome::Passed, "https://example.com/verifier", &["FAILED"]).is_err());
        assert!(new(vsa::Outcome::Passed, "https://example.com/verifier", &["A_LEVEL_1", "A_LEVEL_2"]).is_err());
        summary.input_attestations.push(ResourceDescriptor::at("x:y", None));
        assert!(summary.statement(&[subject]).is_err());
    }

    #[test]
    fn a_simple_result_is_written_as_it_is_read() {
        let subject = ResourceDescriptor::of(None, &digest());
        let result = svr::Result::new("https://example.com/verifier", Vec::new(), at(), &["A", "B"]).unwrap();
        let text = result.statement(std::slice::from_ref(&subject)).unwrap();
        assert_eq!(text, result.statement(&[subject]).unwrap());
        let statement = Statement::parse(&text).unwrap();
        assert_eq!(statement.predicate_type, svr::TYPE);
        assert_eq!(Predicate::parse(svr::TYPE, statement.predicate).unwrap(), Result(result.clone()));
        assert!(statement.predicate.unwrap().contains(r#""policies":[]"#));
        assert!(svr::Result::new("", Vec::new(), at(), &[]).is_err());
        assert!(result.statement(&[]).is_err());
        assert!(result.statement(&[ResourceDescriptor::at("x:y", None)]).is_err());
    }
}
