//! ECDSA over P-256 by the book (FIPS 186-5, section 6.4.2; SP 800-186, section 3.2.1.3), slow and plain: a second opinion that
//! shares no code with what is judged.

#![expect(clippy::many_single_char_names, reason = "they are the standard's")]

use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

/// A point in Jacobian coordinates; `None` is the one at infinity.
type Point = Option<[BigUint; 3]>;

struct Curve {
    p: BigUint,
    n: BigUint,
}

/// Whether `signature` (r and s, 32 bytes each) is of the key with this point over `message`.
pub(crate) fn is_p256_signature(x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let number = |text: &[u8]| BigUint::parse_bytes(text, 16).unwrap();
    let curve = Curve {
        p: number(b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
        n: number(b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    };
    let base = Some([
        number(b"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        number(b"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
        BigUint::from(1_u8),
    ]);
    if signature.len() != 64 {
        return false;
    }
    let (r, s) = signature.split_at(32);
    let [r, s, hash] = [r, s, Sha256::digest(message).as_slice()].map(BigUint::from_bytes_be);
    let zero = BigUint::ZERO;
    if r == zero || s == zero || r >= curve.n || s >= curve.n {
        return false;
    }
    let inverse = s.modinv(&curve.n).unwrap();
    let key = Some([BigUint::from_bytes_be(x), BigUint::from_bytes_be(y), BigUint::from(1_u8)]);
    let left = curve.times(&(hash * &inverse % &curve.n), &base);
    let right = curve.times(&(&r * inverse % &curve.n), &key);
    let Some([x, _, z]) = curve.add(&left, &right) else { return false };
    let z = z.modinv(&curve.p).unwrap();
    (x * &z % &curve.p * z % &curve.p) % &curve.n == r
}

impl Curve {
    fn times(&self, factor: &BigUint, point: &Point) -> Point {
        (0..factor.bits()).rev().fold(None, |sum, bit| {
            let double = self.add(&sum, &sum);
            if factor.bit(bit) { self.add(&double, point) } else { double }
        })
    }

    fn add(&self, left: &Point, right: &Point) -> Point {
        let (Some([x1, y1, z1]), Some([x2, y2, z2])) = (left, right) else {
            return left.clone().or_else(|| right.clone());
        };
        let p = &self.p;
        let (zz1, zz2) = (z1 * z1 % p, z2 * z2 % p);
        let (u1, u2) = (x1 * &zz2 % p, x2 * &zz1 % p);
        let (s1, s2) = (y1 * z2 % p * &zz2 % p, y2 * z1 % p * &zz1 % p);
        let minus = |a: &BigUint, b: &BigUint| (a + p - b % p) % p;
        if u1 != u2 {
            let (h, r) = (minus(&u2, &u1), minus(&s2, &s1));
            let hh = &h * &h % p;
            let (hhh, v) = (&hh * &h % p, &u1 * &hh % p);
            let x = minus(&minus(&(&r * &r % p), &hhh), &(&v * 2_u8));
            let y = minus(&(r * minus(&v, &x) % p), &(s1 * hhh % p));
            return Some([x, y, z1 * z2 % p * h % p]);
        }
        if s1 != s2 || *y1 == BigUint::ZERO {
            return None;
        }
        // The same point twice; a = -3.
        let yy = y1 * y1 % p;
        let s = x1 * &yy % p * 4_u8 % p;
        let m = minus(x1, &zz1) * (x1 + &zz1) % p * 3_u8 % p;
        let x = minus(&(&m * &m % p), &(&s * 2_u8));
        let y = minus(&(m * minus(&s, &x) % p), &(&yy * &yy % p * 8_u8));
        Some([x, y, y1 * z1 % p * 2_u8 % p])
    }
}
