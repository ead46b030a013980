//! Constraints on predicates: what each test holds for, what nobody meets by leaving something out, and what is refused.

#[cfg(test)]
mod tests {
    use touchmark_envelope::json::parse;
    use touchmark_in_toto::Error;
    use touchmark_in_toto::constraint::{Constraint, ConstraintFault, MAX_DEPTH, MAX_NODES, MAX_UNMET, Unmet, Verdict};
    use touchmark_in_toto::engine::{OutOfWork, Work};

    fn read(text: &str) -> Result<Constraint, Error> {
        Constraint::parse(text.as_bytes())
    }

    fn check(constraint: &str, value: &str) -> Vec<Unmet> {
        let value = parse(value.as_bytes(), value.len()).unwrap();
        let constraint = read(constraint).unwrap();
        // What is written is read again, and means the same.
        assert_eq!(Constraint::read(&constraint.to_json()), Ok(constraint.clone()));
        match constraint.check(&value, &mut Work::new(100_000)).unwrap() {
            Verdict::Met => Vec::new(),
            Verdict::Unmet(why) => {
                assert!(!why.is_empty() && why.len() <= MAX_UNMET);
                why
            }
        }
    }

    fn is_met(constraint: &str, value: &str) -> bool {
        check(constraint, value).is_empty()
    }

    fn opposite(constraint: &str) -> String {
        format!(r#"{{"not":{constraint}}}"#)
    }

    const TYPED: &str =
        r#"{"text":"1","number":1,"float":1.50,"true":true,"null":null,"list":[1,"a"],"empty":[],"object":{"a":1,"b":[]},"none":{}}"#;

    #[test]
    fn each_test_holds_for_what_it_says_and_its_opposite_for_the_rest() {
        for (constraint, met) in [
            (r#"{"at":"/text","equals":"1"}"#, true),
            (r#"{"at":"/text","equals":1}"#, false),
            (r#"{"at":"/number","equals":"1"}"#, false),
            (r#"{"at":"/number","equals":1.0}"#, true),
            (r#"{"at":"/float","equals":15e-1}"#, true),
            (r#"{"at":"/true","equals":true}"#, true),
            (r#"{"at":"/true","equals":"true"}"#, false),
            (r#"{"at":"/true","equals":1}"#, false),
            (r#"{"at":"/null","equals":null}"#, true),
            (r#"{"at":"/null","equals":false}"#, false),
            (r#"{"at":"/empty","equals":[]}"#, true),
            (r#"{"at":"/none","equals":[]}"#, false),
            (r#"{"at":"/none","equals":{}}"#, true),
            (r#"{"at":"/list","equals":[1.0,"a"]}"#, true),
            (r#"{"at":"/list","equals":["a",1]}"#, false),
            (r#"{"at":"/list","equals":[1]}"#, false),
            (r#"{"at":"/object","equals":{"b":[],"a":1}}"#, true),
            (r#"{"at":"/object","equals":{"a":1}}"#, false),
            (r#"{"at":"/object","equals":{"a":1,"c":[]}}"#, false),
            (r#"{"at":"/list/1","one_of":["b","a"]}"#, true),
            (r#"{"at":"/list/1","one_of":["b",1]}"#, false),
            (r#"{"at":"/text","matches":"[0-9]"}"#, true),
            (r#"{"at":"/text","matches":""}"#, false),
            (r#"{"at":"/text","matches":"1?"}"#, false),
            (r#"{"at":"/number","at_least":1}"#, true),
            (r#"{"at":"/number","at_least":1.01}"#, false),
            (r#"{"at":"/float","at_most":1.5}"#, true),
            (r#"{"at":"/float","at_most":1}"#, false),
            (r#"{"at":"/null","present":true}"#, true),
            (r#"{"at":"/null","present":false}"#, false),
            (r#"{"at":"/object","only":["a","b","c"]}"#, true),
            (r#"{"at":"/object","only":["a"]}"#, false),
            (r#"{"at":"/none","only":[]}"#, true),
            (r#"{"at":"/list","every":{"at":"","one_of":[1,"a"]}}"#, true),
            (r#"{"at":"/list","every":{"at":"","equals":1}}"#, false),
            (r#"{"at":"/list","some":{"at":"","equals":"a"}}"#, true),
            (r#"{"at":"/list","some":{"at":"","equals":"b"}}"#, false),
            (r#"{"at":"/object","some":{"at":"","equals":[]}}"#, true),
            (r#"{"at":"/object","every":{"at":"","equals":[]}}"#, false),
            (r#"{"at":"/empty","every":{"at":"","equals":1}}"#, true),
            (r#"{"at":"/empty","some":{"at":"","present":true}}"#, false),
            (r#"{"all":[{"at":"/text","equals":"1"},{"at":"/number","equals":1}]}"#, true),
            (r#"{"all":[{"at":"/text","equals":"1"},{"at":"/number","equals":2}]}"#, false),
            (r#"{"any":[{"at":"/text","equals":"2"},{"at":"/number","equals":1}]}"#, true),
            (r#"{"any":[{"at":"/text","equals":"2"},{"at":"/number","equals":2}]}"#, false),
            // What one leaves open another decides.
            (r#"{"any":[{"at":"/gone","equals":"2"},{"at":"/number","equals":1}]}"#, true),
            (r#"{"all":[{"at":"/gone","equals":"2"},{"at":"/number","equals":2}]}"#, false),
        ] {
            assert_eq!(is_met(constraint, TYPED), met, "{constraint}");
            assert_eq!(is_met(&opposite(constraint), TYPED), !met, "not {constraint}");
            assert_eq!(is_met(&opposite(&opposite(constraint)), TYPED), met, "not not {constraint}");
        }
    }

    #[test]
    fn nobody_meets_a_constraint_or_its_opposite_by_leaving_a_member_out() {
        for constraint in [
            r#"{"at":"/gone","equals":1}"#,
            r#"{"at":"/gone","one_of":[1,2]}"#,
            r#"{"at":"/gone","matches":"*"}"#,
            r#"{"at":"/gone","at_least":0}"#,
            r#"{"at":"/gone","at_most":9}"#,
            r#"{"at":"/gone","only":["a"]}"#,
            r#"{"at":"/gone","every":{"at":"","present":true}}"#,
            r#"{"at":"/gone","some":{"at":"","present":true}}"#,
            r#"{"at":"/text/x","equals":1}"#,
            r#"{"at":"/list/2","equals":1}"#,
            // Of another kind than the test is for.
            r#"{"at":"/number","matches":"*"}"#,
            r#"{"at":"/text","at_least":0}"#,
            r#"{"at":"/true","at_most":9}"#,
            r#"{"at":"/list","only":["a"]}"#,
            r#"{"at":"/text","every":{"at":"","present":true}}"#,
            r#"{"at":"/null","some":{"at":"","present":true}}"#,
            r#"{"at":"/object","every":{"at":"/x","equals":1}}"#,
            r#"{"at":"/object","some":{"at":"/x","equals":1}}"#,
            r#"{"all":[{"at":"/number","equals":1},{"at":"/gone","equals":1}]}"#,
            r#"{"any":[{"at":"/number","equals":2},{"at":"/gone","equals":1}]}"#,
        ] {
            assert!(!is_met(constraint, TYPED), "{constraint}");
            assert!(!is_met(&opposite(constraint), TYPED), "not {constraint}");
        }
        // Unless it says so.
        let optional = r#"{"any":[{"at":"/gone","present":false},{"at":"/gone","equals":1}]}"#;
        assert!(is_met(optional, "{}") && is_met(optional, r#"{"gone":1}"#) && !is_met(optional, r#"{"gone":2}"#));
        assert!(is_met(r#"{"not":{"at":"/gone","present":true}}"#, "{}"));
    }

    /// The rules of ITE-11's examples, and those of the layout that the prototype of ITE-10 comes with.
    #[test]
    fn the_examples_of_ite_11_can_be_said() {
        let provenance = r#"{"buildDefinition":{"buildType":"https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1","externalParameters":{"repository":"https://github.com/x/y","ref":"refs/tags/v1"}},"runDetails":{"builder":{"id":"https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/v1.7.0"}}}"#;
        let trace = r#"{"monitor":{"type":"https://github.com/cilium/tetragon","tracePolicy":{"policies":[{"Name":"open"},{"Name":"connect"}]}},"monitorLog":{"network":[]}}"#;
        let link = r#"{"command":["git","clone","https://example.com/foo.git"],"byproducts":{"stderr":"","return-value":0},"environment":{"CI":"1"}}"#;
        for (value, constraint) in [
            (r#"{"result":"PASSED","failedTests":[]}"#, r#"{"at":"/result","equals":"PASSED"}"#),
            (r#"{"result":"PASSED","failedTests":[]}"#, r#"{"at":"/failedTests","equals":[]}"#),
            (
                provenance,
                r#"{"at":"/runDetails/builder/id","matches":"https://github.com/slsa-framework/slsa-github-generator/*@refs/tags/v1.*"}"#,
            ),
            (
                provenance,
                r#"{"at":"/buildDefinition/externalParameters","equals":{"repository":"https://github.com/x/y","ref":"refs/tags/v1"}}"#,
            ),
            (provenance, r#"{"at":"/buildDefinition/externalParameters","only":["repository","ref"]}"#),
            (trace, r#"{"at":"/monitor/type","equals":"https://github.com/cilium/tetragon"}"#),
            (trace, r#"{"at":"/monitor/tracePolicy/policies","some":{"at":"/Name","equals":"connect"}}"#),
            (trace, r#"{"at":"/monitorLog/network","equals":[]}"#),
            (link, r#"{"at":"/byproducts/stderr","equals":""}"#),
            (link, r#"{"at":"/byproducts/return-value","equals":0}"#),
            (link, r#"{"at":"/environment/CI","equals":"1"}"#),
            (link, r#"{"at":"/command","equals":["git","clone","https://example.com/foo.git"]}"#),
        ] {
            assert!(is_met(constraint, value), "{constraint}");
            assert!(!is_met(constraint, "{}"), "{constraint}");
        }
    }

    #[test]
    fn what_is_no_constraint_is_refused_and_never_skipped() {
        let deep = |depth: usize| format!("{}{}{}", r#"{"not":"#.repeat(depth - 1), r#"{"at":"","present":true}"#, "}".repeat(depth - 1));
        let wide = |values: usize| format!(r#"{{"at":"","one_of":[{}0]}}"#, "0,".repeat(values - 1));
        use ConstraintFault::*;
        for (text, fault) in [
            ("1", Shape),
            ("[]", Shape),
            ("null", Shape),
            (r#""result == 'PASSED'""#, Expression),
            (r#"{"rule":"predicate.result == 'PASSED'","warn":true}"#, Expression),
            (r#"{"language":"cel","rule":"true"}"#, Expression),
            ("{}", Kind),
            (r#"{"at":"/a"}"#, Kind),
            (r#"{"equals":1}"#, Kind),
            (r#"{"at":"/a","equals":1,"at_most":2}"#, Kind),
            (r#"{"at":"/a","all":[{"at":"","present":true}]}"#, Kind),
            (r#"{"all":[{"at":"","present":true}],"any":[{"at":"","present":true}]}"#, Kind),
            (r#"{"at":"/a","equals":1,"warn":true}"#, Member),
            (r#"{"at":"/a","equal":1}"#, Member),
            (r#"{"At":"/a","equals":1}"#, Member),
            (r#"{"at":"a","equals":1}"#, Pointer),
            (r#"{"at":"/~2","equals":1}"#, Pointer),
            (r#"{"at":1,"equals":1}"#, Pointer),
            (r#"{"at":"","one_of":[]}"#, Operand),
            (r#"{"at":"","one_of":"a"}"#, Operand),
            (r#"{"at":"","matches":1}"#, Operand),
            (r#"{"at":"","present":"true"}"#, Operand),
            (r#"{"at":"","at_least":"1"}"#, Operand),
            (r#"{"at":"","at_least":1e99999999999999999999}"#, Operand),
            (r#"{"at":"","equals":[{"x":1e99999999999999999999}]}"#, Operand),
            (r#"{"at":"","only":[1]}"#, Operand),
            (r#"{"at":"","every":[]}"#, Shape),
            (r#"{"all":[]}"#, Operand),
            (r#"{"any":{}}"#, Operand),
            (r#"{"not":[]}"#, Shape),
            (r#"{"all":["true"]}"#, Expression),
            (&deep(MAX_DEPTH + 1), Depth),
            (&wide(MAX_NODES - 1), Nodes),
        ] {
            match read(text) {
                Err(Error::Constraint { fault: found, text: shown }) => {
                    assert_eq!(found, fault, "{text}");
                    assert!(shown.len() <= 128);
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in ["", r#"{"at":"/a","at":"/b","equals":1}"#, r#"{"all":[{"at":"","present":true,"present":false}]}"#] {
            assert!(matches!(read(text), Err(Error::Json(_))), "{text}");
        }
        assert!(read(&deep(MAX_DEPTH)).is_ok() && read(&wide(MAX_NODES - 2)).is_ok());
    }

    #[test]
    fn the_reasons_say_where_what_was_wanted_and_what_is_there() {
        let shown = |constraint: &str, value: &str| check(constraint, value).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown(
                r#"{"all":[{"at":"/a","equals":1},{"at":"/b/0","matches":"x*"},{"at":"/c","at_least":2},{"at":"/d","present":false}]}"#,
                r#"{"a":"1","b":["y"],"d":null}"#
            ),
            [
                r#"`/a` is "1" and must equal 1"#,
                r#"`/b/0` is "y" and must be a text that matches "x*""#,
                "`/c` is not there and must be a number of at least 2",
                "`/d` is null and must not be there",
            ]
        );
        assert_eq!(
            shown(r#"{"at":"/a","every":{"at":"/b~1c","equals":1}}"#, r#"{"a":[{"b/c":1},{"b/c":2},{}]}"#),
            ["`/a/1/b~1c` is 2 and must equal 1", "`/a/2/b~1c` is not there and must equal 1"]
        );
        assert_eq!(shown(r#"{"at":"/a","every":{"at":"","equals":1}}"#, r#"{"a":{"x/y":2}}"#), ["`/a/x~1y` is 2 and must equal 1"]);
        assert_eq!(
            shown(r#"{"not":{"at":"/a","equals":1}}"#, r#"{"a":1}"#),
            [r#"it is {"a":1} and must be such that this fails: {"at":"/a","equals":1}"#]
        );
        assert_eq!(
            shown(r#"{"at":"/a","some":{"at":"","equals":1}}"#, r#"{"a":[2,3]}"#),
            [r#"`/a` is [2,3] and must be a list or an object with an item that meets {"at":"","equals":1}"#]
        );
        // Nothing of what a stranger wrote is told at length, or moves a terminal.
        let long = format!(r#"{{"a":["{}\u001b[2J\u202e"]}}"#, "é".repeat(10_000));
        for constraint in [r#"{"at":"/a","equals":1}"#, r#"{"at":"/a/0","equals":1}"#, r#"{"at":"","equals":1}"#] {
            let [why] = check(constraint, &long).try_into().unwrap();
            assert!(why.found.unwrap().len() <= 256);
        }
        assert_eq!(shown(r#"{"at":"","equals":"\u001b\u202e"}"#, "\"\\u0007\""), [r#"it is "\u{7}" and must equal "\u{1b}\u{202e}""#]);
        let many = format!("[{}1]", "0,".repeat(1000));
        assert_eq!(check(r#"{"at":"","every":{"at":"","equals":1}}"#, &many).len(), MAX_UNMET);
    }

    #[test]
    fn work_is_bounded() {
        let spent = |constraint: &str, value: &str, work: u64| {
            let value = parse(value.as_bytes(), value.len()).unwrap();
            read(constraint).unwrap().check(&value, &mut Work::new(work))
        };
        let list = format!("[{}1]", "1,".repeat(999));
        let every = r#"{"at":"","every":{"at":"","equals":1}}"#;
        assert_eq!(spent(every, &list, 100_000), Ok(Verdict::Met));
        assert_eq!(spent(every, &list, 1000), Err(OutOfWork));
        let text = format!("\"{}b\"", "a".repeat(1000));
        let pattern = format!(r#"{{"at":"","matches":"{}c"}}"#, "a*".repeat(20));
        assert!(matches!(spent(&pattern, &text, 10_000_000), Ok(Verdict::Unmet(_))));
        assert_eq!(spent(&pattern, &text, 500), Err(OutOfWork));
        let digits = format!("{}1", "0.".to_owned() + &"0".repeat(10_000));
        assert_eq!(spent(r#"{"at":"","at_least":0}"#, &digits, 1000), Err(OutOfWork));
        let members: Vec<String> = (0..1000).map(|number| format!("\"{number}\":0")).collect();
        assert_eq!(spent(r#"{"at":"/999","equals":0}"#, &format!("{{{}}}", members.join(",")), 500), Err(OutOfWork));
    }
}
