//! JSON documents made up from a seed: the same ones on every machine.

/// Numbers that look random (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Zero is the one state that stays as it is.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Which strings a document holds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Strings {
    /// Those that every implementation of canonical JSON writes alike.
    Portable,
    /// Any.
    Any,
}

/// A document of integers, strings, arrays and objects with distinct names, with white space and escapes in places.
pub(crate) fn document(random: &mut Random, strings: Strings) -> String {
    let mut out = String::new();
    space(random, &mut out);
    value(random, strings, 4, &mut out);
    space(random, &mut out);
    out
}

fn value(random: &mut Random, strings: Strings, levels: usize, out: &mut String) {
    match random.below(if levels == 0 { 4 } else { 9 }) {
        0 => out.push_str(random.pick(&["null", "true", "false"])),
        1 => number(random, out),
        2 | 3 => string(random, strings, false, out),
        4 | 5 => {
            out.push('[');
            for i in 0..random.below(6) {
                separate(random, i, out);
                value(random, strings, levels - 1, out);
                space(random, out);
            }
            space(random, out);
            out.push(']');
        }
        _ => {
            out.push('{');
            let mut names = std::collections::BTreeSet::new();
            // Now and then many members, which are sorted and compared in other ways than few.
            let count = if random.below(60) == 0 { random.below(100) } else { random.below(6) };
            for _ in 0..count {
                let mut name = String::new();
                string(random, strings, true, &mut name);
                let unescaped: String = serde_json::from_str(&name).expect("a string");
                if names.insert(unescaped) {
                    separate(random, names.len() - 1, out);
                    out.push_str(&name);
                    space(random, out);
                    out.push(':');
                    space(random, out);
                    value(random, strings, levels - 1, out);
                    space(random, out);
                }
            }
            space(random, out);
            out.push('}');
        }
    }
}

fn separate(random: &mut Random, before: usize, out: &mut String) {
    if before > 0 {
        out.push(',');
    }
    space(random, out);
}

fn space(random: &mut Random, out: &mut String) {
    if random.below(4) == 0 {
        for _ in 0..random.below(4) {
            out.push(random.pick(&[' ', '\n', '\r', '\t']));
        }
    }
}

fn number(random: &mut Random, out: &mut String) {
    const LARGEST: i64 = (1 << 53) - 1;
    let magnitude = match random.below(4) {
        0 => i64::try_from(random.below(3)).expect("small"),
        1 => LARGEST - i64::try_from(random.below(3)).expect("small"),
        _ => i64::try_from(random.below(usize::MAX)).expect("31 bits") << random.below(22),
    };
    let number = if random.below(3) == 0 { -magnitude } else { magnitude };
    out.push_str(&number.to_string());
}

fn string(random: &mut Random, strings: Strings, name: bool, out: &mut String) {
    out.push('"');
    // Names begin alike and end one in the other, which is where sorting errs.
    let length = if random.below(10) == 0 { random.below(70) } else { random.below(if name { 4 } else { 12 }) };
    if name && random.below(3) == 0 {
        out.push_str("packages/same/");
    }
    for _ in 0..length {
        character(random, strings, name, out);
    }
    out.push('"');
}

fn character(random: &mut Random, strings: Strings, name: bool, out: &mut String) {
    let portable_name = strings == Strings::Portable && name;
    let character = match random.below(12) {
        0 if !portable_name => random.pick(&['"', '\\', ' ', '!', '\n', '\0', '\u{1f}', '\t', '\u{8}', '\u{c}', '\r', '\u{b}']),
        1 => random.pick(&['#', '$', '/', '[', ']', '{', '}', '~', '\u{7f}', ',', ':']),
        2 => random.pick(&['é', 'ß', 'Ж', 'ŋ', '中', '한', '€', '\u{80}', '\u{9f}', '\u{ff01}', '😀', '🚀', '\u{2027}']),
        3 if strings == Strings::Any => random.pick(&[
            '\u{301}',
            '\u{212a}',
            '\u{212b}',
            '\u{f900}',
            '\u{1100}',
            '\u{1161}',
            '\u{fb33}',
            '\u{2028}',
            '\u{2029}',
            '\u{fffd}',
            '\u{ffff}',
            '\u{e000}',
            '\u{d7ff}',
            '\u{10ffff}',
            '\u{feff}',
            '\u{0}',
            '\u{1d15e}',
            '\u{10000}',
        ]),
        _ => random.pick(&['a', 'b', 'c', 'A', 'Z', '0', '9', 'e', 'o', '-', '.', '_']),
    };
    let must = character < ' ' || character == '"' || character == '\\';
    if !must && random.below(10) > 0 {
        out.push(character);
        return;
    }
    let short = match character {
        '"' | '\\' | '/' => Some(character),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    match short {
        Some(letter) if random.below(2) == 0 => out.extend(['\\', letter]),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let hex = if random.below(2) == 0 { format!("{unit:04x}") } else { format!("{unit:04X}") };
                out.push_str("\\u");
                out.push_str(&hex);
            }
        }
    }
}
