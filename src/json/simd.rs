//! Many bytes compared at a time, with what the processor has.
//!
//! A program for every x86-64 may use 16 bytes at a time; nearly every processor that it runs on has 32.
//! What looks at records that may be another service's is written once, over [`Lanes`], and [`widest`] runs
//! it with the widest there are. The crates `pulp` and `wide` do it without unsafe code of our own. This
//! module refuses to know what the bytes mean.
//!
//! What is generic over lanes is `inline(always)`: a function of its own would not be made for the wider
//! ones, and each comparison in it would be a call.

#[cfg(target_arch = "x86_64")]
use pulp::x86::V3;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::__m256i;
use wide::u8x16;

/// Bytes side by side.
pub(crate) trait Lanes: Copy {
    /// How many.
    const WIDTH: usize;
    /// So many bytes.
    type Lane: Copy;

    /// The first bytes, if there are as many.
    fn first(self, bytes: &[u8]) -> Option<Self::Lane>;
    /// The bits of those that are `byte`, after `fold` is set in each.
    fn folded(self, lane: Self::Lane, fold: u8, byte: u8) -> u32;
    /// The bits of those that are one of two.
    fn either(self, lane: Self::Lane, a: u8, b: u8) -> u32;
}

/// What is done with lanes.
pub(crate) trait Kernel {
    /// What comes of it.
    type Output;

    /// Does it; `inline(always)`.
    fn look<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Does it with the widest lanes that the processor has.
pub(crate) fn widest<T: Kernel>(look: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = V3::try_new() {
        return lanes.vectorize(With(lanes, look));
    }
    look.look(Narrow)
}

#[cfg(target_arch = "x86_64")]
struct With<T>(V3, T);

#[cfg(target_arch = "x86_64")]
impl<T: Kernel> pulp::NullaryFnOnce for With<T> {
    type Output = T::Output;

    #[inline(always)]
    fn call(self) -> T::Output {
        self.1.look(self.0)
    }
}

/// 16 bytes, as every processor has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrow;

impl Lanes for Narrow {
    const WIDTH: usize = 16;
    type Lane = u8x16;

    #[inline(always)]
    fn first(self, bytes: &[u8]) -> Option<u8x16> {
        bytes.first_chunk().map(|bytes| u8x16::new(*bytes))
    }

    #[inline(always)]
    fn folded(self, lane: u8x16, fold: u8, byte: u8) -> u32 {
        (lane | u8x16::splat(fold)).simd_eq(u8x16::splat(byte)).to_bitmask()
    }

    #[inline(always)]
    fn either(self, lane: u8x16, a: u8, b: u8) -> u32 {
        (lane.simd_eq(u8x16::splat(a)) | lane.simd_eq(u8x16::splat(b))).to_bitmask()
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for V3 {
    const WIDTH: usize = 32;
    type Lane = __m256i;

    #[inline(always)]
    fn first(self, bytes: &[u8]) -> Option<__m256i> {
        bytes.first_chunk::<32>().map(|bytes| pulp::cast(*bytes))
    }

    #[inline(always)]
    fn folded(self, lane: __m256i, fold: u8, byte: u8) -> u32 {
        let lane = self.avx2._mm256_or_si256(lane, splat(self, fold));
        bits(self, self.avx2._mm256_cmpeq_epi8(lane, splat(self, byte)))
    }

    #[inline(always)]
    fn either(self, lane: __m256i, a: u8, b: u8) -> u32 {
        let is = |byte| self.avx2._mm256_cmpeq_epi8(lane, splat(self, byte));
        bits(self, self.avx2._mm256_or_si256(is(a), is(b)))
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn splat(lanes: V3, byte: u8) -> __m256i {
    lanes.avx._mm256_set1_epi8(byte.cast_signed())
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bits(lanes: V3, equal: __m256i) -> u32 {
    lanes.avx2._mm256_movemask_epi8(equal).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What all lanes of some bytes tell, one after another.
    struct Told<'b>(&'b [u8], u8, u8);

    impl Kernel for Told<'_> {
        type Output = Vec<[bool; 2]>;

        #[inline(always)]
        fn look<L: Lanes>(self, lanes: L) -> Self::Output {
            let Told(bytes, a, b) = self;
            let of_lane = |bytes| {
                let lane = lanes.first(bytes).unwrap();
                let bits = [lanes.folded(lane, 0x20, a), lanes.either(lane, a, b)];
                (0..L::WIDTH).map(move |at| bits.map(|bits| bits >> at & 1 == 1))
            };
            assert!(lanes.first(&bytes[..L::WIDTH - 1]).is_none());
            bytes.chunks(L::WIDTH).flat_map(of_lane).collect()
        }
    }

    proptest! {
        #[test]
        fn lanes_tell_what_bytes_do(
            bytes in proptest::collection::vec(any::<u8>(), 64),
            a in any::<u8>(),
            b in any::<u8>(),
        ) {
            let byte = |byte: &u8| [byte | 0x20 == a, [a, b].contains(byte)];
            let each: Vec<_> = bytes.iter().map(byte).collect();
            prop_assert_eq!(&Told(&bytes, a, b).look(Narrow), &each);
            prop_assert_eq!(&widest(Told(&bytes, a, b)), &each);
        }
    }
}
