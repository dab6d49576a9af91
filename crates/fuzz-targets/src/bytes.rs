//! Bytes as decisions.

/// Bytes from which decisions are read, one after the other; where there are none left, they are 0.
#[derive(Clone, Debug)]
pub(crate) struct Bytes<'d>(&'d [u8]);

impl<'d> Bytes<'d> {
    pub(crate) fn new(data: &'d [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is at most 256 and not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()).checked_rem(end).unwrap_or_default()
    }

    /// One of `among`, which are not none and at most 256.
    pub(crate) fn one_of<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        among.get(self.below(among.len())).expect("there is one")
    }

    /// So many bytes as a byte says, or as there are.
    pub(crate) fn counted(&mut self) -> &'d [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    /// Changes `bytes` as three bytes at a time say: what, and where.
    pub(crate) fn edit(mut self, bytes: &mut Vec<u8>) {
        while !self.is_empty() {
            let (what, high, low) = (self.byte(), self.byte(), self.byte());
            let at =
                usize::from(u16::from_be_bytes([high, low])).checked_rem(bytes.len()).unwrap_or_default();
            match what % 4 {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.byte()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => {
                    let with = self.byte();
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = with;
                    }
                }
            }
        }
    }
}
