//! Members of forms that several calls take.

use domain::PlainKey;
use serde::{Deserialize, Deserializer};

use crate::error::ApiError;

/// The longest name of anything, in characters.
const MAX_NAME: usize = 100;

/// A member that may be left out, or be `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Left out: what it is about stays.
    #[default]
    LeftOut,
    /// `null` takes it away.
    Null,
    /// Another.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T> Given<T> {
    /// What was given, as `read` takes it; nothing where it was left out.
    ///
    /// # Errors
    /// What `read` says.
    pub fn read<U>(self, read: impl FnOnce(T) -> Result<U, ApiError>) -> Result<Given<U>, ApiError> {
        match self {
            Self::LeftOut => Ok(Given::LeftOut),
            Self::Null => Ok(Given::Null),
            Self::Value(value) => read(value).map(Given::Value),
        }
    }

    /// Puts what was given into `place`.
    pub fn put(self, place: &mut Option<T>) {
        match self {
            Self::LeftOut => {}
            Self::Null => *place = None,
            Self::Value(value) => *place = Some(value),
        }
    }
}

impl<T: Clone + Default> Given<T> {
    /// Puts what was given into `place`; `null` for what is so by default.
    pub fn put_or_default(&self, place: &mut T) {
        match self {
            Self::LeftOut => {}
            Self::Null => *place = T::default(),
            Self::Value(value) => place.clone_from(value),
        }
    }
}

/// The member `name` of a form: what people call a thing, without the spaces around it.
///
/// # Errors
/// [`ApiError::BadRequest`] for what can't be shown, or should not be.
pub fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(is_unseen) {
        return Err(ApiError::BadRequest(format!("`name` must have 1 to {MAX_NAME} printable characters")));
    }
    if PlainKey::is_in(name) {
        return Err(ApiError::BadRequest("`name` holds an API key, and names are shown".to_owned()));
    }
    Ok(name.to_owned())
}

/// Characters that nobody sees, and that may turn or split what stands around them: controls, those that change the
/// direction of text, and those of no width that no script needs.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
