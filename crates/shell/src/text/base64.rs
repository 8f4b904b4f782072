//! `base64`.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// Reads what ends before it should.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `base64 [-d] [-w N] [FILE]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("decode", 'd'), ("wrap", 'w'), ("ignore-garbage", 'i')];
    let Some(options) = Options::parse(call, "diD", "w", &long) else { return Ok(1) };
    let (texts, all) = inputs(call, &options.operands);
    let text: String = texts.into_iter().map(|(_, t)| t).collect();
    if !all {
        return Ok(1);
    }
    if options.has('d') || options.has('D') {
        let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if let Ok(bytes) = STANDARD.decode(packed.as_bytes()) {
            call.out.out(&String::from_utf8_lossy(&bytes));
            return Ok(0);
        }
        // What can be read before the fault is told all the same.
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        let good = packed.bytes().take_while(|b| is_letter(*b)).count();
        let good = if good % 4 == 1 { good - 1 } else { good };
        call.out.out(&String::from_utf8_lossy(&LENIENT.decode(&packed[..good]).unwrap_or_default()));
        call.out.err("base64: invalid input");
        return Ok(1);
    }
    let encoded = STANDARD.encode(text);
    match options.value('w').map_or(Ok(76), str::parse::<usize>) {
        Ok(0) => call.out.out(&encoded),
        Ok(width) => {
            let chars: Vec<char> = encoded.chars().collect();
            for line in chars.chunks(width) {
                call.out.line(&line.iter().collect::<String>());
            }
        }
        Err(_) => {
            call.out.err(&format!("base64: invalid wrap size: ‘{}’", options.value('w').unwrap_or_default()));
            return Ok(1);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn text_goes_there_and_back() {
        assert_eq!(stdout("echo -n s3cret | base64"), "czNjcmV0\n");
        assert_eq!(stdout("echo czNjcmV0 | base64 -d"), "s3cret");
    }

    #[test]
    fn what_comes_before_a_fault_is_read() {
        assert_eq!(stdout("echo czNjcmU | base64 -d 2>/dev/null"), "s3cre");
    }
}
