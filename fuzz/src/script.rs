//! Bytes as decisions.

/// Reads one decision after the other; when the bytes are over, all are zero.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    bytes: &'a [u8],
}

impl<'a> Script<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u16::from_le_bytes([self.byte(), if end > 256 { self.byte() } else { 0 }]);
        usize::from(wide) % end
    }

    /// Small numbers, and those around which lengths and ids break.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => u64::from(u32::MAX),
            253 => u64::from(u32::MAX) + 1,
            252 => 1 << 16,
            small => u64::from(small),
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    /// Does to a buffer what a broken peer may do.
    pub(crate) fn damage(&mut self, buffer: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            let at = self.below(buffer.len().max(1));
            match self.byte() % 6 {
                0 => buffer.truncate(at),
                1 => buffer.insert(at.min(buffer.len()), self.byte()),
                2 if !buffer.is_empty() => drop(buffer.remove(at)),
                3 => {
                    let len = self.below(16);
                    let more = self.take(len).to_vec();
                    let at = at.min(buffer.len());
                    buffer.splice(at..at, more);
                }
                4 if !buffer.is_empty() => buffer[at] = self.byte(),
                _ if !buffer.is_empty() => buffer[at] ^= 1 << (self.byte() % 8),
                _ => {}
            }
        }
    }
}
