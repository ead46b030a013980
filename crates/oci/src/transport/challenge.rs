//! Challenges: what a server asks for with 401 (RFC 9110, 11.6.1).

use std::fmt;

/// Bytes of all fields together.
const MAX_BYTES: usize = 16 << 10;

/// Challenges of all fields together.
const MAX_CHALLENGES: usize = 16;

/// Parameters of one challenge.
const MAX_PARAMETERS: usize = 32;

/// One way to authenticate that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Such as `Bearer`, in any case.
    pub scheme: String,
    /// What the scheme is followed by in place of parameters (RFC 9110, 11.2, token68).
    pub token68: Option<String>,
    /// Names, in lower case and each once, with their values.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Whether this is the scheme, in any case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter, whose name is given in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        if let Some(token) = &self.token68 {
            write!(f, " {token}")?;
        }
        for (number, (name, value)) in self.parameters.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "{} {name}=\"{value}\"", if number == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Fields that are no challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// Not in the form of RFC 9110.
    #[error("WWW-Authenticate is malformed")]
    Malformed,
    /// A parameter that is there twice: readers would disagree about it.
    #[error("WWW-Authenticate has a parameter twice")]
    Duplicate,
    /// More than anybody sends.
    #[error("WWW-Authenticate is too long")]
    TooLong,
}

/// Reads the challenges of all `WWW-Authenticate` fields of an answer, in their order.
///
/// # Errors
/// A field is malformed, or all are too long.
pub fn parse<'a>(fields: impl IntoIterator<Item = &'a str>) -> Result<Vec<Challenge>, ChallengeError> {
    let (mut challenges, mut bytes) = (Vec::new(), 0_usize);
    for field in fields {
        bytes = bytes.saturating_add(field.len());
        if bytes > MAX_BYTES {
            return Err(ChallengeError::TooLong);
        }
        parse_field(field, &mut challenges)?;
    }
    Ok(challenges)
}

/// One field: challenges and their parameters share the commas, so what follows a comma tells to which it belongs.
fn parse_field(field: &str, challenges: &mut Vec<Challenge>) -> Result<(), ChallengeError> {
    let mut rest = Rest(field);
    // Whether a parameter may come: the field has begun a challenge that has no token68.
    let mut open = false;
    loop {
        rest.skip(|byte| matches!(byte, b',' | b' ' | b'\t'));
        if rest.0.is_empty() {
            return Ok(());
        }
        let word = rest.token().ok_or(ChallengeError::Malformed)?;
        let spaces = rest.skip(is_space);
        if rest.0.starts_with('=') {
            let challenge = challenges.last_mut().filter(|_| open).ok_or(ChallengeError::Malformed)?;
            rest.value(word, challenge)?;
        } else {
            if challenges.len() == MAX_CHALLENGES {
                return Err(ChallengeError::TooLong);
            }
            let mut challenge = Challenge { scheme: word.to_owned(), token68: None, parameters: Vec::new() };
            if spaces > 0 && !rest.at_end() {
                challenge.token68 = rest.token68().map(str::to_owned);
                if challenge.token68.is_none() {
                    let name = rest.token().ok_or(ChallengeError::Malformed)?;
                    rest.skip(is_space);
                    rest.value(name, &mut challenge)?;
                }
            }
            open = challenge.token68.is_none();
            challenges.push(challenge);
        }
        rest.skip(is_space);
        if !rest.at_end() {
            return Err(ChallengeError::Malformed);
        }
    }
}

/// What is still to be read of a field.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Whether the field or the element of the list ends here.
    fn at_end(&self) -> bool {
        self.0.is_empty() || self.0.starts_with(',')
    }

    /// Drops bytes, and says how many.
    fn skip(&mut self, what: impl Fn(u8) -> bool) -> usize {
        self.take(what).len()
    }

    fn take(&mut self, what: impl Fn(u8) -> bool) -> &'a str {
        let end = self.0.bytes().position(|byte| !what(byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }

    /// RFC 9110, 5.6.2.
    fn token(&mut self) -> Option<&'a str> {
        let token = self.take(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        (!token.is_empty()).then_some(token)
    }

    /// RFC 9110, 11.2, if it is what the element ends with.
    fn token68(&mut self) -> Option<&'a str> {
        let mut after = Rest(self.0);
        let body = after.take(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)).len();
        let padding = after.skip(|byte| byte == b'=');
        let token = self.0.get(..body + padding).filter(|_| body > 0)?;
        let mut end = Rest(after.0);
        end.skip(is_space);
        if !end.at_end() {
            return None;
        }
        *self = after;
        Some(token)
    }

    /// `= value` of a parameter (RFC 9110, 11.2).
    fn value(&mut self, name: &str, challenge: &mut Challenge) -> Result<(), ChallengeError> {
        self.0 = self.0.strip_prefix('=').ok_or(ChallengeError::Malformed)?;
        self.skip(is_space);
        let value = match self.0.strip_prefix('"') {
            Some(quoted) => {
                self.0 = quoted;
                self.quoted()?
            }
            None => self.token().ok_or(ChallengeError::Malformed)?.to_owned(),
        };
        let name = name.to_ascii_lowercase();
        if challenge.parameter(&name).is_some() {
            return Err(ChallengeError::Duplicate);
        }
        if challenge.parameters.len() == MAX_PARAMETERS {
            return Err(ChallengeError::TooLong);
        }
        challenge.parameters.push((name, value));
        Ok(())
    }

    /// The rest of a quoted string (RFC 9110, 5.6.4), after its first quote.
    fn quoted(&mut self) -> Result<String, ChallengeError> {
        let mut value = String::new();
        let mut characters = self.0.chars();
        loop {
            let character = match characters.next().ok_or(ChallengeError::Malformed)? {
                '"' => break,
                '\\' => characters.next().ok_or(ChallengeError::Malformed)?,
                character => character,
            };
            if character.is_ascii_control() && character != '\t' {
                return Err(ChallengeError::Malformed);
            }
            value.push(character);
        }
        self.0 = characters.as_str();
        Ok(value)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Challenge { scheme: scheme.to_owned(), token68: None, parameters }
    }

    #[test]
    fn registries_ask_like_this() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull,push""#;
        let expected = challenge(
            "Bearer",
            &[
                ("realm", "https://auth.docker.io/token"),
                ("service", "registry.docker.io"),
                ("scope", "repository:library/alpine:pull,push"),
            ],
        );
        assert_eq!(parse([hub]), Ok(vec![expected]));
        assert_eq!(parse(["Basic realm=x"]), Ok(vec![challenge("Basic", &[("realm", "x")])]));
    }

    #[test]
    fn several_challenges_come_in_one_field_or_in_many() {
        // RFC 9110, 11.6.1.
        let one = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        let expected = vec![
            challenge("Basic", &[("realm", "simple")]),
            challenge("Newauth", &[("realm", "apps"), ("type", "1"), ("title", "Login to \"apps\"")]),
        ];
        assert_eq!(parse([one]), Ok(expected.clone()));
        assert_eq!(parse([r#"Basic realm="simple""#, r#"Newauth realm="apps" , type=1,title="Login to \"apps\"""#]), Ok(expected));
        let mut negotiate = challenge("Negotiate", &[]);
        assert_eq!(parse(["Negotiate"]), Ok(vec![negotiate.clone()]));
        assert_eq!(parse([", ,Negotiate, Basic realm=x"]), Ok(vec![negotiate.clone(), challenge("Basic", &[("realm", "x")])]));
        negotiate.token68 = Some("YWJj+/==".to_owned());
        assert_eq!(parse(["Negotiate YWJj+/== ,Basic  REALM = \"a,b\""]), Ok(vec![negotiate, challenge("Basic", &[("realm", "a,b")])]));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for field in [
            "=",
            "\"x\"",
            "realm=x",
            "Bearer realm=\"x",
            "Bearer realm=\"x\\",
            "Bearer realm=\"x\"y",
            "Bearer realm=x service=y",
            "Bearer realm=, x=y",
            "Bearer realm=\"a\u{0}\"",
            "Negotiate YWJj==, realm=x",
            "B\u{e4}sic realm=x",
            "Bearer a=b=c",
        ] {
            assert_eq!(parse([field]), Err(ChallengeError::Malformed), "{field}");
        }
        assert_eq!(parse(["Bearer", "realm=x"]), Err(ChallengeError::Malformed), "a challenge does not go on in the next field");
        assert_eq!(parse(["Bearer realm=a, REALM=b"]), Err(ChallengeError::Duplicate));
    }

    #[test]
    fn it_is_bounded() {
        assert_eq!(parse([format!("Bearer realm=\"{}\"", "x".repeat(MAX_BYTES)).as_str()]), Err(ChallengeError::TooLong));
        assert_eq!(parse(std::iter::repeat_n("Basic realm=x", 17)), Err(ChallengeError::TooLong));
        assert_eq!(parse(["Basic,".repeat(17).as_str()]), Err(ChallengeError::TooLong));
        let many: Vec<String> = (0..33).map(|number| format!("p{number}=x")).collect();
        assert_eq!(parse([format!("Basic {}", many.join(",")).as_str()]), Err(ChallengeError::TooLong));
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for field in [r#"Newauth realm="a\"\\b", type="ä""#, "Negotiate abc=", "Negotiate"] {
            let challenges = parse([field]).unwrap();
            assert_eq!(parse([challenges[0].to_string().as_str()]), Ok(challenges));
        }
    }
}
