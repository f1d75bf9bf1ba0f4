//! Keeps the caps while postcard turns bytes into values, where a check afterwards would come too late: a list of empty
//! strings takes one byte an item on the wire and 24 in memory.

use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

/// Reads a list to its end and keeps one item more than `CAP` at most: enough for a check to see that it is over.
pub(crate) fn list<'de, D, T, const CAP: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Capped::<T, CAP>(PhantomData))
}

struct Capped<T, const CAP: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const CAP: usize> Visitor<'de> for Capped<T, CAP> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            if list.len() <= CAP {
                list.push(item);
            }
        }
        Ok(list)
    }
}

/// An explanation for people: cut to its cap on the way out and on the way in.
pub(crate) mod explanation {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::limits;

    pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(limits::cut(text))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        text.truncate(limits::cut(&text).len());
        Ok(text)
    }
}
