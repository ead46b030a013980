//! What one client holds of targets documents, all together.

use touchmark_test_tuf_repository::{Delegation, Key, Repository, Served};
use touchmark_tuf::{Class, Client, Error, RoleName, Settings};

use crate::machine::Machine;

/// Roles of about so many bytes each.
const SIZE: usize = 20_000;

/// A repository with roles that a search for `x` visits one after the other, each of which lists a target of its own.
fn wide(mut repository: Repository, roles: usize) -> Repository {
    for number in 0..roles {
        let name = format!("role{number}");
        repository.delegate("targets", Delegation::new(&name).paths(&["x", &format!("own{number}")]));
        repository.set(&name, "/x-size", "x".repeat(SIZE));
        repository.add_target(&name, &format!("own{number}"), b"content");
    }
    repository.publish();
    repository
}

fn machine(repository: &Repository, total: usize) -> Machine {
    let mut machine = Machine::new(repository);
    machine.settings.limits.total = total as u64;
    machine
}

fn holds(client: &Client, number: usize) -> bool {
    client.role(&RoleName::delegated(&format!("role{number}")).unwrap()).is_some()
}

#[test]
fn a_search_ends_where_its_roles_take_too_much_together_and_says_so() {
    for (repository, listed) in [(wide(Repository::new().with_hashes(), 10), true), (wide(Repository::new(), 10), false)] {
        // The top-level role has little more than the keys of ten, which count twelvefold.
        let mut enough = machine(&repository, 1 << 20);
        assert_eq!(enough.find(&repository, "x").unwrap().visited.len(), 11);
        let mut machine = machine(&repository, 7 * SIZE);
        let error = machine.find(&repository, "x").unwrap_err();
        let Error::TooMuchMetadata { role, limit: 140_000 } = &error else { panic!("{error}") };
        assert_eq!((error.code(), error.class()), ("tuf-too-much-metadata", Class::Unknown));
        // What came before is there, and what is listed as too large was not even asked for.
        assert!(machine.fetched().iter().filter(|path| path.contains("role")).count() < 7, "{:?}", machine.fetched());
        assert_eq!(machine.fetched().contains(&repository.path(role).as_str()), !listed, "{:?}", machine.fetched());
        let asked: u64 = machine.limits.iter().filter(|(step, _)| step.contains("role")).map(|(_, limit)| *limit).max().unwrap();
        assert!(asked <= 140_000, "{asked}");
    }
}

#[test]
fn an_endless_role_without_a_listed_length_ends_where_there_is_no_more_room() {
    let mut repository = wide(Repository::new(), 3);
    repository.answer(&repository.path("role2"), Served::Endless);
    let mut machine = machine(&repository, 1 << 20);
    let error = machine.find(&repository, "x").unwrap_err();
    assert!(matches!(error, Error::TooMuchMetadata { ref role, .. } if role == "role2"), "{error}");
    assert!(machine.limits[&format!("fetch {}", repository.path("role2"))] < (1 << 20) - 2 * SIZE as u64);
    // By its own limit it is another error.
    machine.settings.limits.targets = 500_000;
    assert_eq!(machine.find(&repository, "x").unwrap_err().code(), "tuf-fetch");
}

#[test]
fn what_earlier_searches_visited_makes_room_and_is_kept_as_long_as_there_is_some() {
    for kept in [touchmark_tuf::Index::None, touchmark_tuf::Index::Kept] {
        let repository = wide(Repository::new().with_hashes(), 10);
        let mut machine = machine(&repository, 7 * SIZE);
        machine.settings.index = kept;
        let mut client = machine.refresh(&repository).unwrap();
        for number in 0..3 {
            assert!(machine.look_up(&mut client, &repository, &format!("own{number}")).unwrap().found.is_some());
        }
        assert!((0..3).all(|number| holds(&client, number)), "there is room");
        machine.steps.clear();
        machine.look_up(&mut client, &repository, "own1").unwrap();
        assert!(machine.steps.is_empty(), "it is here");
        for number in 3..10 {
            assert!(machine.look_up(&mut client, &repository, &format!("own{number}")).unwrap().found.is_some(), "{number}");
            assert!(holds(&client, number) && client.role(&RoleName::targets()).is_some());
        }
        assert!((0..10).filter(|number| holds(&client, *number)).count() < 7);
        // One that made room is found again.
        assert!(machine.look_up(&mut client, &repository, "own0").unwrap().found.is_some());
        // And a search that has too much to hold does not keep the next one from its answer.
        assert_eq!(machine.look_up(&mut client, &repository, "x").unwrap_err().code(), "tuf-too-much-metadata");
        assert!(machine.look_up(&mut client, &repository, "own9").unwrap().found.is_some());
    }
}

#[test]
fn an_update_whose_targets_take_too_much_ends_so_too() {
    let mut repository = Repository::new().with_hashes();
    repository.set("targets", "/x-size", "x".repeat(SIZE));
    repository.publish();
    let mut machine = machine(&repository, SIZE);
    assert!(matches!(machine.refresh(&repository), Err(Error::TooMuchMetadata { ref role, .. }) if role == "targets"));
    assert_eq!(machine.fetched().len(), 3, "{:?}", machine.fetched());
    machine.settings.limits.total = 2 * SIZE as u64;
    machine.refresh(&repository).unwrap();
}

#[test]
fn delegations_count_for_more_than_their_text() {
    let mut repository = Repository::new();
    let keys: Vec<Key> = (0..100).map(|number| Key::ed25519(&format!("key {number}"))).collect();
    repository.delegate("targets", Delegation::new("a").paths(&["x"]).keys(1, &keys));
    repository.publish();
    let length = repository.file(&repository.path("targets")).len();
    let mut machine = machine(&repository, 5 * length);
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.find(&repository, "x").unwrap_err().code(), "tuf-too-much-metadata");
    machine.settings.limits.total = 15 * length as u64;
    machine.find(&repository, "x").unwrap();
}

#[test]
fn with_an_index_only_what_is_read_of_a_document_counts() {
    let mut repository = Repository::new().with_hashes();
    repository.delegate("targets", Delegation::new("bulk").paths(&["bulk/*"]));
    for number in 0..1000 {
        repository.add_target("bulk", &format!("bulk/{number}"), b"content");
    }
    repository.publish();
    let length = repository.file(&repository.path("bulk")).len();
    let mut machine = machine(&repository, 2 * length);
    machine.settings.index = touchmark_tuf::Index::Kept;
    assert!(machine.find(&repository, "bulk/7").unwrap().found.is_some());
    // The second time 4 bytes for each target are enough, and without the index they are not.
    machine.settings.limits.total = length as u64 / 2;
    assert!(machine.find(&repository, "bulk/7").unwrap().found.is_some());
    machine.settings.index = touchmark_tuf::Index::None;
    assert_eq!(machine.find(&repository, "bulk/7").unwrap_err().code(), "tuf-too-much-metadata");
}

#[test]
fn the_default_is_no_less_than_one_document_may_have() {
    let limits = Settings::default().limits;
    assert!(limits.total >= limits.listed && limits.total >= limits.targets);
}
