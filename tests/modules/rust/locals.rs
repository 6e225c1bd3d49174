//! Calls that keep large locals across suspensions, as ../c/locals.c, in Rust. Built by build.sh beside it.
#![no_std]
#![no_main]

use core::hint::black_box;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn wait(value: u32) -> u32;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

const WORDS: usize = 64;

fn next(x: u32) -> u32 {
    x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

// Not inlined, and behind a black box: each caller has a frame with the array.
#[inline(never)]
fn fill(words: &mut [u32; WORDS], mut seed: u32) {
    for word in black_box(words) {
        seed = next(seed);
        *word = seed;
    }
}

#[inline(never)]
fn sum(words: &[u32; WORDS]) -> u32 {
    black_box(words).iter().fold(0, |a, b| a.wrapping_add(*b))
}

/// Fills an array, waits `rounds` times with what the array adds up to, and mixes what each wait gave into it. The result is the last sum.
#[unsafe(no_mangle)]
extern "C" fn work(seed: u32, rounds: u32) -> u32 {
    let mut words = [0; WORDS];
    fill(&mut words, seed);
    for i in 0..rounds as usize {
        words[i % WORDS] ^= wait(sum(&words));
    }
    sum(&words)
}

/// Waits at the bottom of `depth` frames, each with an array that is added up on the way back.
#[unsafe(no_mangle)]
extern "C" fn nest(seed: u32, depth: u32) -> u32 {
    let mut words = [0; WORDS];
    fill(&mut words, seed);
    let below = if depth == 0 {
        wait(seed)
    } else {
        nest(next(seed), depth - 1)
    };
    below.wrapping_add(sum(&words))
}

/// Waits, then goes `depth` frames deep without another wait.
#[unsafe(no_mangle)]
extern "C" fn deepen(seed: u32, depth: u32) -> u32 {
    let mut words = [0; WORDS];
    fill(&mut words, wait(seed));
    let below = if depth == 0 {
        0
    } else {
        descend(seed, depth - 1)
    };
    below.wrapping_add(sum(&words))
}

#[unsafe(no_mangle)]
extern "C" fn descend(seed: u32, depth: u32) -> u32 {
    let mut words = [0; WORDS];
    fill(&mut words, seed);
    let below = if depth == 0 {
        0
    } else {
        descend(next(seed), depth - 1)
    };
    below.wrapping_add(sum(&words))
}
