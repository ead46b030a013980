//! What a change of the trust repository would do to clients: which artifacts would not verify any more, and which would newly. The real
//! decision is run over what is published and over what would be.

use std::collections::{BTreeMap, BTreeSet};

use touchmark::trust::standing::{Claim, Standing};
use touchmark::trust_root::TrustRoot;
use touchmark::tuf::repository::{Outlook, Publisher, Repository, RepositoryError};
use touchmark::{Class, Digest, Name, Policy, Request, UnixTime};
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::known::{Found, Places};
use super::{Here, failure, strings, tell_staged};
use crate::access::AccessArgs;

/// So many artifacts are told of each kind; JSON has all.
const TOLD: usize = 20;

/// Where is looked for what a change would do.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What would change")]
pub(crate) struct Foresight {
    /// Also looks at the artifacts of this place, and says which would not verify any more, and which newly: HOST/REPO, oci:PATH,
    /// oci-archive:FILE, or one artifact; may be repeated
    #[arg(long, value_name = "REPO")]
    compare_with: Vec<String>,
    /// Says what would be staged, and what it would change, and stages nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// The same, with how registries are reached.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Looking {
    #[command(flatten)]
    pub(super) foresight: Foresight,
    #[command(flatten)]
    pub(super) access: AccessArgs,
}

/// Makes a change: first to a draft, of which it is said what it would do, and then, unless that is all, in the repository.
pub(super) fn stage(
    here: &Here<'_>,
    (foresight, access): (&Foresight, &AccessArgs),
    also: &[(Name, Found)],
    output: &mut Output<'_>,
    change: &dyn Fn(&Repository) -> Result<Vec<String>, RepositoryError>,
) -> Result<(), Failure> {
    stage_telling(here, (foresight, access), also, output, change, &|_, _, _, _| Ok(()))
}

/// As [`stage`], of a role that loses names: also says which of its revocations the delegator, whose role the change gives, takes over.
pub(super) fn stage_loss(
    here: &Here<'_>,
    looking: &Looking,
    output: &mut Output<'_>,
    change: &dyn Fn(&Repository) -> Result<String, RepositoryError>,
) -> Result<(), Failure> {
    let change = |repository: &Repository| Ok(vec![change(repository)?]);
    stage_telling(here, (&looking.foresight, &looking.access), &[], output, &change, &tell_moved)
}

/// What else is said of a change: of the repository, the draft that has the change, and the roles that it stages.
type Telling<'t> = &'t dyn Fn((&Repository, &Repository), &[String], &mut Output<'_>, &mut Object<'static>) -> Result<(), RepositoryError>;

fn stage_telling(
    here: &Here<'_>,
    (foresight, access): (&Foresight, &AccessArgs),
    also: &[(Name, Found)],
    output: &mut Output<'_>,
    change: &dyn Fn(&Repository) -> Result<Vec<String>, RepositoryError>,
    tell: Telling<'_>,
) -> Result<(), Failure> {
    let repository = here.open()?;
    let draft = repository.draft();
    let mut roles = change(&draft).map_err(|error| failure(&error))?;
    let mut found = Vec::new();
    let mut places = Places::of(foresight.compare_with.iter().map(String::as_str), access)?;
    for place in &foresight.compare_with {
        found.extend(places.all(place)?);
    }
    let consequences = Consequences::of(&repository, &draft, &found, also, here.now)?;
    consequences.tell(!foresight.compare_with.is_empty(), output);
    let mut members = consequences.members();
    tell((&repository, &draft), &roles, output, &mut members).map_err(|error| failure(&error))?;
    if !foresight.dry_run {
        roles = change(&repository).map_err(|error| failure(&error))?;
    }
    tell_staged(here, &roles, foresight.dry_run, members, output)
}

/// Says which revocations each of the roles has that it had not, and for what they hold.
fn tell_moved(
    (repository, draft): (&Repository, &Repository),
    roles: &[String],
    output: &mut Output<'_>,
    members: &mut Object<'static>,
) -> Result<(), RepositoryError> {
    let mut moved = Vec::new();
    for role in roles {
        let before = repository.revoked(role)?;
        let new: Vec<(Digest, String)> = draft.revoked(role)?.into_iter().filter(|(digest, _)| !before.contains_key(digest)).collect();
        for (digest, reason) in new.iter().take(TOLD) {
            output.note(&format!("revocation that moves to {role}: {digest}: {reason}"));
        }
        if let more @ 1.. = new.len().saturating_sub(TOLD) {
            output.note(&format!("revocation that moves to {role}: and {more} more, {} in all; --format json has them", new.len()));
        }
        if !new.is_empty() {
            output.note(&format!(
                "they hold for all names of {role} from then on; see that none is of another publisher's artifact, whose digest may have been \
                 planted there"
            ));
        }
        let to_json = |(digest, reason): (Digest, String)| {
            let digest = Value::from(digest.to_string());
            Value::object([("to", Value::from(role.clone())), ("digest", digest), ("reason", Value::from(reason))])
        };
        moved.extend(new.into_iter().map(to_json));
    }
    members.insert("revocations_moved", Value::Array(moved));
    Ok(())
}

/// What would become of what is known.
#[derive(Debug, Default)]
struct Consequences {
    would_stop: Vec<Effect>,
    would_verify: Vec<Effect>,
    /// Of which it could not be found out.
    unknown: Vec<Effect>,
    changed: Vec<Changed>,
}

/// An artifact of which the answer would be another.
#[derive(Debug)]
struct Effect {
    name: Name,
    digest: Digest,
    /// Where it is, if that is known.
    pin: Option<String>,
    /// By what it is accepted: now, or then.
    by: Option<&'static str>,
    why: Option<String>,
}

/// A publisher that would be another.
#[derive(Debug)]
struct Changed {
    role: String,
    before: Option<Publisher>,
    after: Option<Publisher>,
}

/// What one side answers.
enum Answer {
    Accepted(&'static str),
    Refused(String),
    /// Nothing but signatures could accept it, and it is not at hand; or something could not be had.
    Unknown(String),
}

impl Consequences {
    fn of(repository: &Repository, draft: &Repository, places: &[Found], also: &[(Name, Found)], now: UnixTime) -> Result<Self, Failure> {
        let failed = |error: RepositoryError| failure(&error);
        let published = repository.draft_of_published();
        let is_published = repository.published_root().is_ok();
        let mut consequences = Self { changed: changed(&published, draft, is_published).map_err(failed)?, ..Self::default() };
        // What is listed and sealed, before and after.
        let mut listed = draft.names(None).map_err(failed)?;
        if is_published {
            listed.extend(published.names(None).map_err(failed)?);
        }
        let mut at_hand: Vec<(Name, &Found)> = also.iter().map(|(name, found)| (name.clone(), found)).collect();
        let mut under: BTreeMap<Digest, Vec<&Name>> = BTreeMap::new();
        for one in &listed {
            one.claim.hashes.iter().for_each(|hash| under.entry(*hash).or_default().push(&one.name));
        }
        for found in places {
            let of_digest = |digest: &Digest| under.get(digest).cloned().unwrap_or_default();
            let mut names: BTreeSet<Name> = found.digests().iter().flat_map(of_digest).cloned().collect();
            names.extend(found.claimed_names()?);
            at_hand.extend(names.into_iter().map(|name| (name, found)));
        }
        let now_outlook = if is_published { Some(published.outlook(now).map_err(failed)?) } else { None };
        let then_outlook = draft.outlook(now).map_err(failed)?;
        let mut before = Side::of(now_outlook.as_ref());
        let mut after = Side::of(Some(&then_outlook));
        let mut seen = BTreeSet::new();
        for (name, found) in at_hand {
            if !seen.insert((name.clone(), found.descriptor.digest)) {
                continue;
            }
            seen.extend(found.digests().into_iter().map(|digest| (name.clone(), digest)));
            let answers = (before.decide(&name, found, now), after.decide(&name, found, now));
            consequences.add(&name, found.descriptor.digest, Some(found.pin.clone()), answers);
        }
        for one in listed.iter().filter(|one| one.claim.length > 0) {
            let Some(digest) = one.claim.hashes.first() else { continue };
            if one.claim.hashes.iter().any(|digest| seen.contains(&(one.name.clone(), *digest))) {
                continue;
            }
            seen.extend(one.claim.hashes.iter().map(|digest| (one.name.clone(), *digest)));
            let answers = (before.vouches(&one.name, &one.claim, now), after.vouches(&one.name, &one.claim, now));
            consequences.add(&one.name, *digest, None, answers);
        }
        Ok(consequences)
    }

    fn add(&mut self, name: &Name, digest: Digest, pin: Option<String>, answers: (Answer, Answer)) {
        let effect = |by, why| Effect { name: name.clone(), digest, pin, by, why };
        match answers {
            (Answer::Accepted(_), Answer::Accepted(_)) | (Answer::Refused(_), Answer::Refused(_)) => {}
            (Answer::Accepted(by), Answer::Refused(why)) => self.would_stop.push(effect(Some(by), Some(why))),
            (Answer::Refused(_), Answer::Accepted(by)) => self.would_verify.push(effect(Some(by), None)),
            (Answer::Accepted(by), Answer::Unknown(why)) => self.unknown.push(effect(Some(by), Some(why))),
            (Answer::Unknown(why), Answer::Accepted(_) | Answer::Refused(_)) | (Answer::Refused(_), Answer::Unknown(why)) => {
                self.unknown.push(effect(None, Some(why)));
            }
            (Answer::Unknown(_), Answer::Unknown(_)) => {}
        }
    }

    fn tell(&self, looked: bool, output: &mut Output<'_>) {
        let parts: [(&str, &[Effect], bool); 3] = [
            ("would not verify any more", &self.would_stop, true),
            ("would newly verify", &self.would_verify, false),
            ("may answer otherwise", &self.unknown, false),
        ];
        for (what, effects, warns) in parts {
            for effect in effects.iter().take(TOLD) {
                let text = format!("{what}: {}", effect.text());
                if warns { output.warn(&text) } else { output.note(&text) }
            }
            if let more @ 1.. = effects.len().saturating_sub(TOLD) {
                output.note(&format!("{what}: and {more} more, {} in all; --format json has them", effects.len()));
            }
        }
        for changed in &self.changed {
            changed.texts().iter().for_each(|text| output.note(text));
        }
        if !looked && !self.changed.is_empty() {
            output.note("which artifacts are accepted under these names by signature alone is not known here; --compare-with REPO looks");
        }
    }

    fn members(&self) -> Object<'static> {
        let effects = |effects: &[Effect]| Value::Array(effects.iter().map(Effect::to_json).collect());
        let mut members = Object::new();
        members.insert("would_stop", effects(&self.would_stop));
        members.insert("would_verify", effects(&self.would_verify));
        members.insert("may_change", effects(&self.unknown));
        members.insert("publishers_changed", Value::Array(self.changed.iter().map(Changed::to_json).collect()));
        members
    }
}

impl Effect {
    fn text(&self) -> String {
        let what = self.pin.clone().unwrap_or_else(|| self.digest.to_string());
        let by = self.by.map(|by| format!(" ({by})")).unwrap_or_default();
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} {what}{by}{why}", self.name)
    }

    fn to_json(&self) -> Value<'static> {
        let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
        Value::object([
            ("name", Value::from(self.name.to_string())),
            ("digest", Value::from(self.digest.to_string())),
            ("pin", text(self.pin.clone())),
            ("accepted_by", text(self.by.map(str::to_owned))),
            ("why", text(self.why.clone())),
        ])
    }
}

/// What clients of one side answer.
struct Side<'o> {
    client: Result<TrustRoot<'o>, String>,
    known: BTreeMap<Name, Result<Standing, String>>,
}

impl<'o> Side<'o> {
    /// Without an outlook nothing is published.
    fn of(outlook: Option<&'o Outlook>) -> Self {
        let client = match outlook {
            Some(outlook) => outlook.client().map_err(|error| error.to_string()),
            None => Err("nothing is published".to_owned()),
        };
        Self { client, known: BTreeMap::new() }
    }

    fn standing(&mut self, name: &Name) -> Result<Standing, String> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let standing = match &mut self.client {
            Ok(client) => client.standing(name).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        self.known.insert(name.clone(), standing.clone());
        standing
    }

    /// Of an artifact that is at hand.
    fn decide(&mut self, name: &Name, found: &Found, now: UnixTime) -> Answer {
        let standing = match self.standing(name) {
            Ok(standing) => standing,
            Err(why) => return Answer::Refused(why),
        };
        match touchmark::decide(found.source.as_ref(), Request::new(Policy::trust(standing), found.descriptor.digest, now)) {
            Ok(accepted) => Answer::Accepted(accepted.get().accepted_by().code()),
            Err(rejected) if rejected.class() == Class::Unknown => Answer::Unknown(rejected.to_string()),
            Err(rejected) => Answer::Refused(rejected.to_string()),
        }
    }

    /// Of one of which its entry or seal alone is known.
    fn vouches(&mut self, name: &Name, claim: &Claim, now: UnixTime) -> Answer {
        match self.standing(name).map(|standing| standing.vouches(claim, now)) {
            Err(why) => Answer::Refused(why),
            Ok(Ok(Some(by))) => Answer::Accepted(by.code()),
            Ok(Ok(None)) => Answer::Unknown("it would be by its signatures alone, and it is not at hand".to_owned()),
            Ok(Err(fault)) => Answer::Refused(fault.to_string()),
        }
    }
}

/// The publishers that are not on both sides, or not the same.
fn changed(published: &Repository, draft: &Repository, is_published: bool) -> Result<Vec<Changed>, RepositoryError> {
    let by_role = |publishers: Vec<Publisher>| -> BTreeMap<String, Publisher> {
        publishers.into_iter().map(|publisher| (publisher.role.clone(), publisher)).collect()
    };
    let mut before = if is_published { by_role(published.publishers()?) } else { BTreeMap::new() };
    let mut changed = Vec::new();
    for (role, after) in by_role(draft.publishers()?) {
        let before = before.remove(&role);
        if before.as_ref() != Some(&after) {
            changed.push(Changed { role, before, after: Some(after) });
        }
    }
    changed.extend(before.into_iter().map(|(role, before)| Changed { role, before: Some(before), after: None }));
    Ok(changed)
}

impl Changed {
    fn texts(&self) -> Vec<String> {
        let role = &self.role;
        let short = |keyids: &[&String]| keyids.iter().map(|id| id.chars().take(12).collect::<String>()).collect::<Vec<_>>().join(", ");
        let how = |publisher: &Publisher| if publisher.envelopes { "by what it lists and what it signs" } else { "by what it lists alone" };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let minus = |one: &'_ [String], other: &[String]| one.iter().filter(|id| !other.contains(id)).cloned().collect::<Vec<_>>();
                let (gone, come) = (minus(&before.keyids, &after.keyids), minus(&after.keyids, &before.keyids));
                let mut texts = Vec::new();
                if !gone.is_empty() {
                    let gone = short(&gone.iter().collect::<Vec<_>>());
                    texts.push(format!("{role}: what is signed by {gone} counts no more for {}", after.names.join(" ")));
                }
                if !come.is_empty() {
                    let come = short(&come.iter().collect::<Vec<_>>());
                    texts.push(format!("{role}: what is signed by {come} counts from now on for {}", after.names.join(" ")));
                }
                if before.threshold != after.threshold {
                    texts.push(format!("{role}: {} signatures are needed, and not {}", after.threshold, before.threshold));
                }
                for (names, what) in
                    [(minus(&before.names, &after.names), "owns no more"), (minus(&after.names, &before.names), "owns from now on")]
                {
                    if !names.is_empty() {
                        texts.push(format!("{role}: {what} {}", names.join(" ")));
                    }
                }
                if before.envelopes != after.envelopes {
                    texts.push(format!("{role}: its names are accepted {}", how(after)));
                }
                texts
            }
            (None, Some(after)) => vec![format!("{role}: owns {} from now on, {}", after.names.join(" "), how(after))],
            (Some(before), None) => {
                vec![format!("{role}: what it lists, seals and signs under {} counts no more", before.names.join(" "))]
            }
            (None, None) => Vec::new(),
        }
    }

    fn to_json(&self) -> Value<'static> {
        let side = |publisher: &Option<Publisher>| {
            publisher.as_ref().map_or(Value::Null, |publisher| {
                Value::object([
                    ("names", strings(&publisher.names)),
                    ("keyids", strings(&publisher.keyids)),
                    ("threshold", Value::from(publisher.threshold)),
                    ("envelopes", Value::from(publisher.envelopes)),
                ])
            })
        };
        Value::object([("role", Value::from(self.role.clone())), ("before", side(&self.before)), ("after", side(&self.after))])
    }
}
