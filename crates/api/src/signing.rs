//! What does a request to sign a certificate ask for, and what does the certificate look like?
//!
//! MODEL: of a request its names and its key are read, nobody checks its signature; a certificate is a true one in all its parts but the
//! signature, which is drawn: there is no key of an authority here.
//! Source: RFC 2986, RFC 5280, X.690; Go `crypto/x509` (`CreateCertificate`); `pkg/controller/certificates/authority/policies.go`.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT: u8 = 0x06;
const TEXT: u8 = 0x0c;
const TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const ATTRIBUTES: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 1.2.840.113549.1.9.14
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
/// 2.5.29.17
const OTHER_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// 1.2.840.113549.1.1.11
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];

/// Usages of a key by their bit.
const USAGES: [(&str, u8); 10] = [
    ("signing", 0),
    ("digital signature", 0),
    ("content commitment", 1),
    ("key encipherment", 2),
    ("data encipherment", 3),
    ("key agreement", 4),
    ("cert sign", 5),
    ("crl sign", 6),
    ("encipher only", 7),
    ("decipher only", 8),
];

/// What a key is for beyond that: 1.3.6.1.5.5.7.3 and a number, in the order in which Go writes them.
const PURPOSES: [(&str, &[u8]); 13] = [
    ("any", &[0x55, 0x1d, 0x25, 0x00]),
    ("server auth", &[0x2b, 6, 1, 5, 5, 7, 3, 1]),
    ("client auth", &[0x2b, 6, 1, 5, 5, 7, 3, 2]),
    ("code signing", &[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    ("email protection", &[0x2b, 6, 1, 5, 5, 7, 3, 4]),
    ("s/mime", &[0x2b, 6, 1, 5, 5, 7, 3, 4]),
    ("ipsec end system", &[0x2b, 6, 1, 5, 5, 7, 3, 5]),
    ("ipsec tunnel", &[0x2b, 6, 1, 5, 5, 7, 3, 6]),
    ("ipsec user", &[0x2b, 6, 1, 5, 5, 7, 3, 7]),
    ("timestamping", &[0x2b, 6, 1, 5, 5, 7, 3, 8]),
    ("ocsp signing", &[0x2b, 6, 1, 5, 5, 7, 3, 9]),
    ("microsoft sgc", &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3]),
    ("netscape sgc", &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1]),
];

/// Every usage that the API knows, sorted.
#[must_use]
pub fn usages() -> Vec<&'static str> {
    let mut all: Vec<&str> = USAGES.iter().map(|(name, _)| *name).collect();
    all.extend(PURPOSES.iter().map(|(name, _)| *name));
    all.sort_unstable();
    all
}

/// Fields of a subject or other names, with their values.
pub type Names = Vec<(u8, String)>;

/// Who shall be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    /// The subject's fields by the last byte of their identifier 2.5.4.N.
    pub subject: Names,
    /// Other names by their tag.
    pub others: Names,
    /// The subject, the key and the other names as they stand there.
    parts: [Vec<u8>; 3],
}

/// The tag of other names that are names of hosts, addresses of mail or of the network, or locators.
pub const DNS: u8 = 0x82;
/// See [`DNS`].
pub const MAIL: u8 = 0x81;
/// See [`DNS`].
pub const LOCATOR: u8 = 0x86;
/// See [`DNS`].
pub const ADDRESS: u8 = 0x87;

impl SigningRequest {
    /// The subject's name.
    #[must_use]
    pub fn common_name(&self) -> &str {
        self.subject.iter().rev().find(|(field, _)| *field == 3).map_or("", |(_, name)| name)
    }

    /// The organizations: a user's groups.
    #[must_use]
    pub fn organizations(&self) -> Vec<&str> {
        self.subject.iter().filter(|(field, _)| *field == 10).map(|(_, name)| name.as_str()).collect()
    }

    /// Whether there are other names of a sort.
    #[must_use]
    pub fn has(&self, tag: u8) -> bool {
        self.others.iter().any(|(own, _)| *own == tag)
    }
}

/// Reads a request in PEM.
/// # Errors
/// Go's words: `PEM block type must be CERTIFICATE REQUEST`.
pub fn read(pem: &[u8]) -> Result<SigningRequest, String> {
    let text = String::from_utf8_lossy(pem);
    let body = text.split("-----BEGIN CERTIFICATE REQUEST-----").nth(1);
    let body = body.and_then(|rest| rest.split("-----END CERTIFICATE REQUEST-----").next());
    let der = body.and_then(|body| STANDARD.decode(body.split_whitespace().collect::<String>()).ok());
    let der = der.ok_or_else(|| "PEM block type must be CERTIFICATE REQUEST".to_owned())?;
    parts(&der).ok_or_else(|| "asn1: syntax error: data truncated".to_owned())
}

fn parts(der: &[u8]) -> Option<SigningRequest> {
    let (_, request, _) = value(der)?;
    let (_, info, _) = value(request)?;
    let parts = values(info);
    let whole = |at: usize| parts.get(at).map(|(tag, inner)| made(*tag, inner));
    let mut subject = Vec::new();
    for (_, set) in values(parts.get(1)?.1) {
        for (_, pair) in values(set) {
            if let [(_, [0x55, 0x04, field]), (_, text)] = values(pair).as_slice() {
                subject.push((*field, String::from_utf8_lossy(text).into_owned()));
            }
        }
    }
    let (mut others, mut written) = (Vec::new(), Vec::new());
    let attributes = parts.iter().find(|(tag, _)| *tag == ATTRIBUTES).map_or(&[][..], |(_, inner)| inner);
    for (_, attribute) in values(attributes) {
        let attribute = values(attribute);
        let [(_, EXTENSION_REQUEST), (_, set)] = attribute.as_slice() else { continue };
        for (_, extension) in values(set).into_iter().flat_map(|(_, list)| values(list)) {
            let extension = values(extension);
            if extension.first().is_none_or(|(_, id)| *id != OTHER_NAMES) {
                continue;
            }
            let octets = extension.iter().find(|(tag, _)| *tag == OCTETS).map_or(&[][..], |(_, inner)| inner);
            let list = value(octets).filter(|(tag, ..)| *tag == SEQUENCE);
            for (tag, text) in list.map(|(_, list, _)| values(list)).unwrap_or_default() {
                others.push((tag, shown(tag, text)));
            }
            written = octets.to_vec();
        }
    }
    Some(SigningRequest { subject, others, parts: [whole(1)?, whole(2)?, written] })
}

/// The value that begins here: its tag, what is in it, and what follows.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        if count > 4 || rest.len() < count {
            return None;
        }
        let (digits, after) = rest.split_at(count);
        length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The values in a row.
fn values(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some((tag, inner, rest)) = value(bytes) {
        found.push((tag, inner));
        bytes = rest;
    }
    found
}

fn shown(tag: u8, text: &[u8]) -> String {
    match (tag, <[u8; 4]>::try_from(text), <[u8; 16]>::try_from(text)) {
        (ADDRESS, Ok(four), _) => Ipv4Addr::from(four).to_string(),
        (ADDRESS, _, Ok(sixteen)) => Ipv6Addr::from(sixteen).to_string(),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}

/// A value written down.
fn made(tag: u8, inner: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(inner.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let digits: Vec<u8> =
                (inner.len() as u32).to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
            out.push(0x80 | digits.len() as u8);
            out.extend(digits);
        }
    }
    out.extend_from_slice(inner);
    out
}

fn row(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    made(tag, &parts.concat())
}

/// What a certificate says beside who it is for.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// What the key may be used for, as the API names it.
    pub usages: &'a [&'a str],
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Its number, and the letters of the signature: 272 bytes.
    pub drawn: &'a [u8],
}

/// The certificate in PEM.
#[must_use]
pub fn certify(request: &SigningRequest, terms: Terms<'_>) -> String {
    let algorithm = row(SEQUENCE, &[made(OBJECT, SHA256_WITH_RSA), made(NULL, &[])]);
    let number: Vec<u8> = terms.drawn.iter().take(16).map(|byte| byte & 0x7f | 1).collect();
    let issuer = row(
        SEQUENCE,
        &[row(SET, &[row(SEQUENCE, &[made(OBJECT, &[0x55, 4, 3]), made(TEXT, b"kubernetes")])])],
    );
    let [subject, key, others] = &request.parts;
    let moment = |at: Timestamp| made(TIME, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes());
    let version = row(0xa0, &[made(INTEGER, &[2])]);
    let body = row(
        SEQUENCE,
        &[
            version,
            made(INTEGER, &number),
            algorithm.clone(),
            issuer,
            row(SEQUENCE, &[moment(terms.from), moment(terms.until)]),
            subject.clone(),
            key.clone(),
            row(EXTENSIONS, &[extensions(terms.usages, others)]),
        ],
    );
    let signature: Vec<u8> = std::iter::once(0).chain(terms.drawn.iter().skip(16).copied()).collect();
    let whole = STANDARD.encode(row(SEQUENCE, &[body, algorithm, made(BITS, &signature)]));
    let lines: Vec<&str> =
        whole.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn extensions(usages: &[&str], others: &[u8]) -> Vec<u8> {
    let critical = || made(0x01, &[0xff]);
    let extension = |id: &[u8], is_critical: bool, inner: &[u8]| {
        let mut parts = vec![made(OBJECT, id)];
        parts.extend(is_critical.then(critical));
        parts.push(made(OCTETS, inner));
        row(SEQUENCE, &parts)
    };
    let mut all = Vec::new();
    let bits = USAGES
        .iter()
        .filter(|(name, _)| usages.contains(name))
        .fold(0_u16, |bits, (_, bit)| bits | 0x8000 >> bit);
    if bits != 0 {
        let [high, low] = bits.to_be_bytes();
        let bytes = if low == 0 {
            vec![high.trailing_zeros() as u8, high]
        } else {
            vec![low.trailing_zeros() as u8, high, low]
        };
        all.push(extension(&[0x55, 0x1d, 0x0f], true, &made(BITS, &bytes)));
    }
    let mut purposes: Vec<&[u8]> =
        PURPOSES.iter().filter(|(name, _)| usages.contains(name)).map(|(_, id)| *id).collect();
    purposes.dedup();
    if !purposes.is_empty() {
        let ids: Vec<Vec<u8>> = purposes.iter().map(|id| made(OBJECT, id)).collect();
        all.push(extension(&[0x55, 0x1d, 0x25], false, &row(SEQUENCE, &ids)));
    }
    // Not an authority.
    all.push(extension(&[0x55, 0x1d, 0x13], true, &made(SEQUENCE, &[])));
    if !others.is_empty() {
        all.push(extension(OTHER_NAMES, false, others));
    }
    row(SEQUENCE, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl req -new -newkey ec … -subj /O=devs/CN=joe -addext subjectAltName=DNS:a.example.com,IP:10.0.0.1`
    const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkNEQ0JzQUlCQURBZE1RMHdDd1lEVlFRS0RBUmtaWFp6TVF3d0NnWURWUVFEREFOcWIyVXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVRaVThUMVJxUFZhSzA5YkRKWHdPNUdGT091ZUVqMTRYN3RGTzl0CnhqbmZ0OXNDNWR4RDBBTC9temRCanljenlTZmc2QUlzdC81UTJ3YlNJMEpvYTFBK29ERXdMd1lKS29aSWh2Y04KQVFrT01TSXdJREFlQmdOVkhSRUVGekFWZ2cxaExtVjRZVzF3YkdVdVkyOXRod1FLQUFBQk1Bb0dDQ3FHU000OQpCQU1DQTBjQU1FUUNJQW1iaTN5aEdCR0pwdWoyVGx4VjRzOGVINzZ4b0duRkwzVkI5SHlxeE1nWkFpQWN3ajIwClVvaDliWnAweVlBYW9vL2ladGZsNXRNOThoVDllWlNDNnY2cDFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";

    fn request() -> SigningRequest {
        read(&STANDARD.decode(REQUEST).expect("base64")).expect("a request")
    }

    #[test]
    fn subject_and_other_names_are_read() {
        let request = request();
        assert_eq!(request.subject, [(10, "devs".to_owned()), (3, "joe".to_owned())]);
        assert_eq!(request.others, [(DNS, "a.example.com".to_owned()), (ADDRESS, "10.0.0.1".to_owned())]);
        assert_eq!(read(b"a"), Err("PEM block type must be CERTIFICATE REQUEST".to_owned()));
    }

    #[test]
    fn a_certificate_is_for_whom_the_request_names() {
        let from: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a moment");
        let terms =
            Terms { usages: &["client auth", "digital signature"], from, until: from, drawn: &[7; 272] };
        let pem = certify(&request(), terms);
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).expect("base64");
        let (_, whole, rest) = value(&der).expect("a certificate");
        let inner = values(values(whole)[0].1);
        assert!(rest.is_empty() && values(whole).len() == 3);
        assert_eq!(made(SEQUENCE, inner[5].1), request().parts[0]);
        assert_eq!(made(SEQUENCE, inner[6].1), request().parts[1]);
        assert_eq!(values(inner[4].1)[0].1, b"260302090000Z");
    }
}
