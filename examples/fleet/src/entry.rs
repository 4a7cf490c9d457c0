//! An entry of the stream of jobs, and one of the stream of results: their fields as bytes, and back.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::{self, FromStr};

/// The fields of an entry as Redis has them: a name, its value, the next name, and so on.
pub type Fields = Vec<Vec<u8>>;

/// The place of an entry in a stream; later entries have greater ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    milliseconds: u64,
    sequence: u64,
}

/// One file to hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: StreamId,
    /// Which offer it belongs to: results of another are not counted.
    pub run: String,
    /// How many files the offer has found before it.
    pub number: u64,
    /// As the offer has found it.
    pub path: PathBuf,
    /// How often it has been tried before, without a result.
    pub tries: u32,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub run: String,
    pub number: u64,
    /// The digest, or why there is none.
    pub result: Result<Vec<u8>, String>,
}

impl Entry {
    /// `redelivered`: how often Redis has given this entry to a worker before this time.
    pub fn read(id: StreamId, fields: &Fields, redelivered: u32) -> Result<Entry, String> {
        Ok(Entry {
            id,
            run: text(fields, "run")?,
            number: number(fields, "number")?,
            path: PathBuf::from(OsStr::from_bytes(field(fields, "path")?)),
            tries: number::<u32>(fields, "tries")?.saturating_add(redelivered),
        })
    }

    pub fn write(&self) -> Fields {
        let mut fields = fields(&self.run, self.number);
        push(&mut fields, "path", bytes(&self.path));
        push(&mut fields, "tries", self.tries.to_string().as_bytes());
        fields
    }

    /// What became of it.
    pub fn outcome(&self, result: Result<Vec<u8>, String>) -> Outcome {
        Outcome { run: self.run.clone(), number: self.number, result }
    }
}

impl Outcome {
    pub fn read(fields: &Fields) -> Result<Outcome, String> {
        let result = match field(fields, "digest") {
            Ok(digest) => Ok(digest.to_vec()),
            Err(_) => Err(text(fields, "error")?),
        };
        Ok(Outcome { run: text(fields, "run")?, number: number(fields, "number")?, result })
    }

    pub fn write(&self, worker: &str) -> Fields {
        let mut fields = fields(&self.run, self.number);
        match &self.result {
            Ok(digest) => push(&mut fields, "digest", digest),
            Err(error) => push(&mut fields, "error", error.as_bytes()),
        }
        push(&mut fields, "worker", worker.as_bytes());
        fields
    }
}

/// The bytes of a path as they are on disk.
pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn fields(run: &str, number: u64) -> Fields {
    let mut fields = Fields::new();
    push(&mut fields, "run", run.as_bytes());
    push(&mut fields, "number", number.to_string().as_bytes());
    fields
}

fn push(fields: &mut Fields, name: &str, value: &[u8]) {
    fields.push(name.into());
    fields.push(value.into());
}

fn field<'a>(fields: &'a Fields, name: &str) -> Result<&'a [u8], String> {
    let found = fields.chunks_exact(2).find(|pair| pair[0] == name.as_bytes());
    found.map(|pair| pair[1].as_slice()).ok_or_else(|| format!("there is no field `{name}`"))
}

fn text(fields: &Fields, name: &str) -> Result<String, String> {
    let value = str::from_utf8(field(fields, name)?);
    value.map(str::to_owned).map_err(|_| format!("the field `{name}` is not text"))
}

fn number<N: FromStr>(fields: &Fields, name: &str) -> Result<N, String> {
    text(fields, name)?.parse().map_err(|_| format!("the field `{name}` is no number of its size"))
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.milliseconds, self.sequence)
    }
}

impl FromStr for StreamId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |(milliseconds, sequence): (&str, &str)| {
            Some(StreamId { milliseconds: milliseconds.parse().ok()?, sequence: sequence.parse().ok()? })
        };
        text.split_once('-').and_then(parse).ok_or_else(|| format!("{text:?} is no place in a stream"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let path = PathBuf::from(OsStr::from_bytes(b"a\xff\n b"));
        Entry { id: StreamId::default(), run: "r".into(), number: 7, path, tries: 2 }
    }

    #[test]
    fn entries_and_outcomes_are_read_as_they_were_written() {
        let (entry, id) = (entry(), StreamId::default());
        assert_eq!(Entry::read(id, &entry.write(), 0), Ok(entry.clone()));
        assert_eq!(Entry::read(id, &entry.write(), 3).unwrap().tries, 5);
        for result in [Ok(vec![0, 255]), Err("gone".to_owned())] {
            let outcome = entry.outcome(result);
            assert_eq!(Outcome::read(&outcome.write("w")), Ok(outcome));
        }
    }

    #[test]
    fn an_entry_of_somebody_else_says_what_is_wrong() {
        let id = StreamId::default();
        let mut fields = entry().write();
        assert_eq!(Entry::read(id, &Fields::new(), 0).unwrap_err(), "there is no field `run`");
        fields[3] = b"-1".to_vec();
        assert_eq!(Entry::read(id, &fields, 0).unwrap_err(), "the field `number` is no number of its size");
        fields[1] = b"\xff".to_vec();
        assert_eq!(Entry::read(id, &fields, 0).unwrap_err(), "the field `run` is not text");
        assert_eq!(Outcome::read(&vec![b"digest".to_vec()]).unwrap_err(), "there is no field `error`");
    }

    #[test]
    fn places_in_a_stream_are_ordered_by_number() {
        let place = |text: &str| text.parse::<StreamId>();
        assert!(place("9-10").unwrap() < place("10-9").unwrap());
        assert!(place("9-9").unwrap() < place("9-10").unwrap());
        assert_eq!(place("12-3").unwrap().to_string(), "12-3");
        assert!(place("12").is_err() && place("12-x").is_err());
    }
}
