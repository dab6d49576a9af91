//! Any bytes as a backup: never a panic, and what is read is written again as the same bytes.
#![no_main]

use keyreeve_backup::{Item, Reader, Writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok((mut reader, header)) = Reader::begin(data) else { return };
    let mut writer = Writer::begin(Vec::new(), &header).expect("memory takes everything");
    loop {
        let written = match reader.next_item() {
            Err(_) | Ok(None) => return,
            Ok(Some(Item::Stream(end))) => writer.stream(&end),
            Ok(Some(Item::Record(path, entry))) => writer.record(&path, &entry),
            Ok(Some(Item::Seal { records, unopened, wrapped, .. })) => writer.seal(records, unopened, &wrapped),
            Ok(Some(Item::File { name, content })) => writer.file(&name, &content),
            Ok(Some(Item::End { digest })) => {
                let (bytes, written) = writer.end().expect("memory takes everything");
                // CBOR has several forms of a header; ours is the shortest.
                assert!(bytes.len() <= data.len());
                assert!(bytes != data || digest == written);
                return;
            }
        };
        written.expect("memory takes everything");
    }
});
