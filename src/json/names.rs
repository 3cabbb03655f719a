//! A fixed set of names, each found by one look.
//!
//! Every member of a record is looked up in some table: comparing it with all names of the table costs
//! more than reading it. It refuses to change once it is made.

/// Names and their numbers, in the order they were given.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// A power of two of places, more than half of them empty.
    places: Vec<Option<(&'static str, usize)>>,
}

impl Names {
    /// A set of names without duplicates.
    pub(crate) fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let mut places = vec![None; (names.len() * 4).next_power_of_two()];
        for (number, name) in names.into_iter().enumerate() {
            let mut at = first(name, places.len());
            while let Some(Some(_)) = places.get(at) {
                at = (at + 1) % places.len();
            }
            if let Some(place) = places.get_mut(at) {
                *place = Some((name, number));
            }
        }
        Self { places }
    }

    /// The number of a name.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let mut at = first(name, self.places.len());
        while let Some((known, number)) = self.places.get(at).copied().flatten() {
            if known == name {
                return Some(number);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        None
    }
}

/// The place where a name is looked for first, of a power of two of them.
#[inline]
fn first(name: &str, places: usize) -> usize {
    let bytes = name.as_bytes();
    let number = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29)
        }
        _ => bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)),
    };
    let mixed = (number ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The high bits are mixed best; there are never 2^32 places.
    usize::try_from(mixed >> 32).unwrap_or_default() & places.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_no_others() {
        let names = ["a", "b", "name", "environmentVariables", "environmentVariable", "", "eman"];
        let set = Names::new(names);
        for (number, name) in names.iter().enumerate() {
            assert_eq!(set.find(name), Some(number), "{name}");
        }
        for other in ["c", "nam", "Name", "environmentVariablesOverride", "\0a", "aa"] {
            assert_eq!(set.find(other), None, "{other}");
        }
        assert_eq!(Names::new([]).find("a"), None);
        assert_eq!(Names::default().find("a"), None);
    }
}
