//! What a policy's patterns match, segment by segment.
//!
//! IAM's `*` is any run of characters, slashes included: a pattern can't say "one segment". So what stands for a parameter
//! matches more than the parameter does, and a Deny has to take that away again; whether it takes away just that is asked
//! here.

/// One piece of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    /// One segment, whatever it is.
    One,
    /// One segment or more: IAM's `*` between two slashes, where a segment is never empty.
    Many,
}

/// A path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern<'a>(Vec<Piece<'a>>);

impl<'a> Pattern<'a> {
    /// What access.toml means by a path: `{name}` is one segment, `{name+}` all the rest.
    pub(crate) fn of_template(path: &'a str) -> Self {
        let piece = |segment: &'a str| match segment.strip_prefix('{') {
            None => Piece::Literal(segment),
            Some(name) if name.ends_with("+}") => Piece::Many,
            Some(_) => Piece::One,
        };
        Self(path.split('/').skip(1).map(piece).collect())
    }

    /// What IAM makes of it.
    fn widened(&self) -> Vec<Piece<'a>> {
        let widened = |piece: &Piece<'a>| if *piece == Piece::One { Piece::Many } else { piece.clone() };
        self.0.iter().map(widened).collect()
    }

    /// Patterns that together match what IAM's reading has beyond this one: in each, one of the parameters crosses a slash.
    pub(crate) fn crossings(&self) -> Vec<Self> {
        let mut inner = self.0.len();
        if self.0.last() == Some(&Piece::Many) {
            // Parameters right before all the rest may cross: the rest is only the shorter for it.
            inner -= 1;
            while inner > 0 && self.0[inner - 1] == Piece::One {
                inner -= 1;
            }
        }
        let parameters = (0..inner).filter(|place| self.0[*place] == Piece::One);
        let crossing = |place| {
            let mut pieces = self.widened();
            pieces.insert(place, Piece::Many);
            Self(pieces)
        };
        parameters.map(crossing).collect()
    }

    /// Whether there is a path that both match.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        meet(&self.0, &other.0)
    }

    /// Whether it matches more than one path.
    pub(crate) fn is_wide(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Literal(_)))
    }
}

/// As a policy writes it.
impl std::fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Literal(text) => write!(f, "/{text}"),
            Piece::One | Piece::Many => f.write_str("/*"),
        })
    }
}

fn meet(one: &[Piece<'_>], other: &[Piece<'_>]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([], _) | (_, []) => false,
        ([Piece::Literal(one), ..], [Piece::Literal(other), ..]) if one != other => false,
        ([first, rest @ ..], [other_first, other_rest @ ..]) => {
            meet(rest, other_rest)
                || (*first == Piece::Many && meet(one, other_rest))
                || (*other_first == Piece::Many && meet(rest, other))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossings(path: &str) -> Vec<String> {
        Pattern::of_template(path).crossings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_parameter_that_can_cross_a_slash_has_its_pattern() {
        assert!(crossings("/a/b").is_empty());
        assert_eq!(crossings("/a/{b}"), ["/a/*/*"]);
        assert_eq!(crossings("/a/{b}/c/{d}"), ["/a/*/*/c/*", "/a/*/c/*/*"]);
        assert!(crossings("/a/{rest+}").is_empty(), "it is meant to cross");
        assert!(crossings("/a/{b}/{rest+}").is_empty(), "its rest takes up the same");
        assert_eq!(crossings("/{a}/b/{c}/{rest+}"), ["/*/*/b/*/*"]);
    }

    #[test]
    fn patterns_meet_where_a_path_matches_both() {
        let meets = |one, other| {
            let (one, other) = (Pattern::of_template(one), Pattern::of_template(other));
            assert_eq!(one.meets(&other), other.meets(&one));
            one.meets(&other)
        };
        for (one, other) in [
            ("/a", "/a"),
            ("/a/{x}", "/{y}/b"),
            ("/a/{x+}", "/a/b/c/d"),
            ("/{x+}", "/a"),
            ("/a/{x+}", "/{y}/{z+}"),
            ("/a/{x}/b", "/a/{y+}"),
        ] {
            assert!(meets(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("/a", "/b"),
            ("/a", "/a/b"),
            ("/a/{x}", "/a"),
            ("/a/{x+}", "/a"),
            ("/a/{x}", "/a/b/c"),
            ("/{x}/b", "/a/c"),
        ] {
            assert!(!meets(one, other), "{one} {other}");
        }
        // In a crossing, `*` may stand before a literal.
        let crossing = &Pattern::of_template("/{a}/b").crossings()[0];
        assert!(crossing.meets(&Pattern::of_template("/x/y/b")) && !crossing.meets(&Pattern::of_template("/x/b")));
    }
}
