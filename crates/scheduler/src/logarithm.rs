//! What is the natural logarithm, to the last bit, on every machine?
//!
//! Spreading rounds sums of logarithms, so one bit can decide. Machines' own libraries differ; this is the fdlibm series
//! that Go uses, in the same order of operations.
//! Source: fdlibm `e_log.c` (Sun Microsystems, 1993), constants and series.

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const SERIES: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

/// The natural logarithm of a number of at least 1.
pub(crate) fn ln(x: f64) -> f64 {
    let (mut fraction, mut exponent) = (x, 0.0);
    // Halving is exact. The fraction ends between √½ and √2.
    while fraction >= std::f64::consts::SQRT_2 {
        fraction /= 2.0;
        exponent += 1.0;
    }
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let [l1, l2, l3, l4, l5, l6, l7] = SERIES;
    let odd = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let even = s4 * (l2 + s4 * (l4 + s4 * l6));
    let r = odd + even;
    let half = 0.5 * f * f;
    exponent * LN2_HIGH - ((half - (s * (half + r) + exponent * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_logarithm() {
        // One bit below the true value, as in Go.
        assert_eq!(ln(3.0), 1.098_612_288_668_109_6);
        for n in 1..6000 {
            let x = f64::from(n);
            assert!((ln(x) - x.ln()).abs() <= x.ln() * 3e-16, "{n}: {} {}", ln(x), x.ln());
        }
    }
}
