//! Sixteen numbers at once, with the instructions of three kinds of processors: AVX2 with FMA, NEON, and any. All that is
//! unsafe in this crate is here: a value of an instruction set's type is the proof that the processor has it.
#![allow(unsafe_code)]

/// Numbers that are computed together: two registers of AVX2, four of NEON.
pub(super) const LANES: usize = 16;

/// A set of instructions. Its methods are to be inlined into a function that is compiled for them.
pub(super) trait Simd: Copy {
    /// So many numbers.
    type Lanes: Copy;

    fn splat(self, value: f32) -> Self::Lanes;
    fn load(self, values: &[f32; LANES]) -> Self::Lanes;
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]);
    /// `a · b + c`.
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
}

/// What every processor has. Those of aarch64 have more, and it serves their tests alone.
#[cfg(any(test, not(target_arch = "aarch64")))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

#[cfg(any(test, not(target_arch = "aarch64")))]
impl Simd for Plain {
    type Lanes = [f32; LANES];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> Self::Lanes {
        *values
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]) {
        *to = lanes;
    }

    #[inline(always)]
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, mut c: Self::Lanes) -> Self::Lanes {
        for at in 0..LANES {
            c[at] += a[at] * b[at];
        }
        c
    }

    #[inline(always)]
    fn max(self, mut a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        for at in 0..LANES {
            a[at] = a[at].max(b[at]);
        }
        a
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_set1_ps, _mm256_storeu_ps,
    };

    use super::{LANES, Simd};

    /// Half of the numbers.
    const HALF: usize = LANES / 2;

    /// AVX2 with FMA.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Avx2(());

    impl Avx2 {
        /// Where the processor has it.
        pub(in super::super) fn found() -> Option<Self> {
            let has_both = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            has_both.then_some(Self(()))
        }
    }

    impl Simd for Avx2 {
        type Lanes = [__m256; 2];

        #[inline(always)]
        fn splat(self, value: f32) -> Self::Lanes {
            // SAFETY: `self` proves the instructions, as in all of these.
            unsafe { [_mm256_set1_ps(value); 2] }
        }

        #[inline(always)]
        fn load(self, values: &[f32; LANES]) -> Self::Lanes {
            // SAFETY: 8 numbers can be read from the first one and from the ninth.
            unsafe {
                [
                    _mm256_loadu_ps(values.as_ptr()),
                    _mm256_loadu_ps(values[HALF..].as_ptr()),
                ]
            }
        }

        #[inline(always)]
        fn store(self, [a, b]: Self::Lanes, to: &mut [f32; LANES]) {
            // SAFETY: 8 numbers can be written from the first one on and from the ninth.
            unsafe {
                _mm256_storeu_ps(to.as_mut_ptr(), a);
                _mm256_storeu_ps(to[HALF..].as_mut_ptr(), b);
            }
        }

        #[inline(always)]
        fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
            // SAFETY: see `splat`.
            unsafe {
                [
                    _mm256_fmadd_ps(a[0], b[0], c[0]),
                    _mm256_fmadd_ps(a[1], b[1], c[1]),
                ]
            }
        }

        #[inline(always)]
        fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
            // SAFETY: see `splat`.
            unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) use neon::Neon;

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmaxq_f32, vst1q_f32};

    use super::{LANES, Simd};

    /// A quarter of the numbers.
    const QUARTER: usize = LANES / 4;

    /// NEON, which every processor of this kind has.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Neon;

    impl Simd for Neon {
        type Lanes = [float32x4_t; 4];

        #[inline(always)]
        fn splat(self, value: f32) -> Self::Lanes {
            // SAFETY: the instructions are there on every aarch64 that Rust compiles for, as in all of these.
            unsafe { [vdupq_n_f32(value); 4] }
        }

        #[inline(always)]
        fn load(self, values: &[f32; LANES]) -> Self::Lanes {
            // SAFETY: 4 numbers can be read from each quarter's first.
            [0, 1, 2, 3].map(|at| unsafe { vld1q_f32(values[at * QUARTER..].as_ptr()) })
        }

        #[inline(always)]
        fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]) {
            for (lanes, to) in lanes.into_iter().zip(to.chunks_exact_mut(QUARTER)) {
                // SAFETY: 4 numbers can be written to each quarter.
                unsafe { vst1q_f32(to.as_mut_ptr(), lanes) }
            }
        }

        #[inline(always)]
        fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
            // SAFETY: see `splat`.
            [0, 1, 2, 3].map(|at| unsafe { vfmaq_f32(c[at], a[at], b[at]) })
        }

        #[inline(always)]
        fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
            // SAFETY: see `splat`.
            [0, 1, 2, 3].map(|at| unsafe { vmaxq_f32(a[at], b[at]) })
        }
    }
}
