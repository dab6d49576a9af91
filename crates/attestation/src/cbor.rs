//! CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)), read strictly.
//!
//! Heads are as short as they can be and strings have a definite length. Maps and arrays may be of indefinite length where
//! the caller says so: the Nitro hypervisor writes the map of a document in either form.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

/// Not the CBOR that is expected here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CborError;

/// How many elements of a map or an array are to come; nothing where a break ends it.
pub(crate) struct Items(Option<u64>);

pub(crate) struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    /// Whether all input was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.0.position() == self.0.input().len()
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], CborError> {
        self.read(Decoder::bytes, |bytes| (bytes.len() as u64, bytes.len()))
    }

    /// A text string.
    pub(crate) fn text(&mut self) -> Result<&'b str, CborError> {
        self.read(Decoder::str, |text| (text.len() as u64, text.len()))
    }

    /// A number that is not negative.
    pub(crate) fn unsigned(&mut self) -> Result<u64, CborError> {
        self.read(Decoder::u64, |number| (*number, 0))
    }

    /// An array of exactly `len` elements.
    pub(crate) fn array_of(&mut self, len: u64) -> Result<(), CborError> {
        match self.array()?.0 {
            Some(found) if found == len => Ok(()),
            Some(_) | None => Err(CborError),
        }
    }

    /// The beginning of a map: whether it has no entries and says so.
    pub(crate) fn empty_map(&mut self) -> Result<bool, CborError> {
        self.map().map(|entries| entries.0 == Some(0))
    }

    /// The beginning of an array.
    pub(crate) fn array(&mut self) -> Result<Items, CborError> {
        self.read(Decoder::array, |len| (len.unwrap_or(0), 0)).map(Items)
    }

    /// The beginning of a map.
    pub(crate) fn map(&mut self) -> Result<Items, CborError> {
        self.read(Decoder::map, |len| (len.unwrap_or(0), 0)).map(Items)
    }

    /// Whether another element, or entry of a map, comes; past the break where there is none.
    pub(crate) fn has_next(&mut self, items: &mut Items) -> Result<bool, CborError> {
        match &mut items.0 {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => self.skip_if(Type::Break).map(|ended| !ended),
        }
    }

    /// Whether null comes, which is then read.
    pub(crate) fn skip_null(&mut self) -> Result<bool, CborError> {
        self.skip_if(Type::Null)
    }

    /// Whether `tag` comes, which is then read.
    pub(crate) fn skip_tag(&mut self, tag: u64) -> Result<bool, CborError> {
        if self.next_type()? != Type::Tag {
            return Ok(false);
        }
        let found = self.read(Decoder::tag, |tag| (tag.as_u64(), 0))?.as_u64();
        if found == tag { Ok(true) } else { Err(CborError) }
    }

    fn skip_if(&mut self, one_byte: Type) -> Result<bool, CborError> {
        let comes = self.next_type()? == one_byte;
        if comes {
            self.0.set_position(self.0.position().saturating_add(1));
        }
        Ok(comes)
    }

    fn next_type(&self) -> Result<Type, CborError> {
        self.0.datatype().or(Err(CborError))
    }

    /// Reads an item; `shape` says what its head holds and how many bytes of content follow the head.
    fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, Error>,
        shape: impl FnOnce(&T) -> (u64, usize),
    ) -> Result<T, CborError> {
        let start = self.0.position();
        let value = read(&mut self.0).or(Err(CborError))?;
        let (argument, content) = shape(&value);
        let head = self.0.position().checked_sub(start).and_then(|all| all.checked_sub(content));
        if head == Some(head_len(argument)) { Ok(value) } else { Err(CborError) }
    }
}

/// The bytes of the shortest head that holds `argument`.
fn head_len(argument: u64) -> usize {
    match argument {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        0x1_0000_0000.. => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_longer_than_need_be_is_refused() {
        for (bytes, number) in [
            ([0x17].as_slice(), Ok(23)),
            (&[0x18, 0x18], Ok(24)),
            (&[0x18, 0x17], Err(CborError)),
            (&[0x19, 0x01, 0x00], Ok(256)),
            (&[0x19, 0x00, 0xff], Err(CborError)),
            (&[0x1a, 0x00, 0x01, 0x00, 0x00], Ok(65536)),
            (&[0x1a, 0x00, 0x00, 0xff, 0xff], Err(CborError)),
            (&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0], Ok(1 << 32)),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], Err(CborError)),
            (&[0x20], Err(CborError)),
            (&[], Err(CborError)),
        ] {
            assert_eq!(Reader::new(bytes).unsigned(), number, "{bytes:02x?}");
        }
    }

    #[test]
    fn strings_have_the_shortest_definite_head_and_all_their_bytes() {
        for (bytes, string) in [
            ([0x42, 1, 2].as_slice(), Ok([1, 2].as_slice())),
            (&[0x58, 2, 1, 2], Err(CborError)),
            (&[0x5f, 0x41, 1, 0xff], Err(CborError)),
            (&[0x42, 1], Err(CborError)),
            (&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err(CborError)),
            (&[0x62, b'a', b'b'], Err(CborError)),
        ] {
            assert_eq!(Reader::new(bytes).bytes(), string, "{bytes:02x?}");
        }
        assert_eq!(Reader::new(&[0x62, b'a', b'b']).text(), Ok("ab"));
        assert_eq!(Reader::new(&[0x62, 0xc3, 0x28]).text(), Err(CborError));
        assert_eq!(Reader::new(&[0x7f, 0x61, b'a', 0xff]).text(), Err(CborError));
    }

    #[test]
    fn a_list_of_either_form_ends_where_it_says() {
        for bytes in [[0x82, 1, 2].as_slice(), &[0x9f, 1, 2, 0xff]] {
            let mut reader = Reader::new(bytes);
            let mut items = reader.array().unwrap();
            let mut numbers = vec![];
            while reader.has_next(&mut items).unwrap() {
                numbers.push(reader.unsigned().unwrap());
            }
            assert_eq!((numbers, reader.is_at_end()), (vec![1, 2], true), "{bytes:02x?}");
        }
        let mut unended = Reader::new(&[0x9f]);
        let mut items = unended.array().unwrap();
        assert_eq!(unended.has_next(&mut items), Err(CborError));
    }
}
