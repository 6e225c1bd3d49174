//! Random valid modules by wasm-smith. The whole interface is four functions on plain memory, so that no glue is needed: `seed(n)` makes room for n
//! bytes of randomness, `generate(features)` makes a module of them, `module()` is where it lies, `fuel()` the index of its fuel global.

use arbitrary::{Arbitrary, Unstructured};
use std::cell::RefCell;
use wasm_smith::{Config, Module};

/// What modules may use, as bits of `generate`'s argument. tests/fuzz/generator.mjs has the same list.
mod feature {
    pub const SIMD: u32 = 1;
    pub const THREADS: u32 = 2;
    pub const TAIL_CALLS: u32 = 4;
    pub const MEMORY64: u32 = 8;
    pub const MULTI_MEMORY: u32 = 16;
    pub const EXCEPTIONS: u32 = 32;
    pub const EXTENDED_CONST: u32 = 64;
    pub const RELAXED_SIMD: u32 = 128;
    pub const CUSTOM_PAGE_SIZES: u32 = 256;
    pub const GC: u32 = 512;
    pub const IMPORTS: u32 = 1024;
}

/// Fuel that a module begins with; whoever runs it sets the global anew before each call.
const FUEL: u32 = 1000;

#[derive(Default)]
struct State {
    seed: Vec<u8>,
    module: Vec<u8>,
    fuel: u32,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Room for the seed's bytes.
#[no_mangle]
pub extern "C" fn seed(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.seed.clear();
        state.seed.resize(length, 0);
        state.seed.as_mut_ptr()
    })
}

/// Makes a module of the seed: its length, or 0 where the seed gives none.
#[no_mangle]
pub extern "C" fn generate(features: u32) -> usize {
    STATE.with_borrow_mut(|state| {
        state.module.clear();
        if let Ok((module, fuel)) = make(&state.seed, features) {
            state.module = module;
            state.fuel = fuel;
        }
        state.module.len()
    })
}

/// Where the module lies.
#[no_mangle]
pub extern "C" fn module() -> *const u8 {
    STATE.with_borrow(|state| state.module.as_ptr())
}

/// Index of the global that counts loops and calls down.
#[no_mangle]
pub extern "C" fn fuel() -> u32 {
    STATE.with_borrow(|state| state.fuel)
}

fn make(seed: &[u8], features: u32) -> Result<(Vec<u8>, u32), Box<dyn std::error::Error>> {
    let mut bytes = Unstructured::new(seed);
    let config = configure(Config::arbitrary(&mut bytes)?, features);
    let mut module = Module::new(config, &mut bytes)?;
    let fuel = module.ensure_termination(FUEL).map_err(|error| error.to_string())?;
    Ok((module.to_bytes(), fuel))
}

/// Which kinds of instructions and limits a module has is left to the seed; this bounds what makes it slow, or different from engine to engine.
fn configure(arbitrary: Config, features: u32) -> Config {
    let has = |bit: u32| features & bit != 0;
    Config {
        simd_enabled: arbitrary.simd_enabled && has(feature::SIMD),
        relaxed_simd_enabled: has(feature::RELAXED_SIMD),
        threads_enabled: arbitrary.threads_enabled && has(feature::THREADS),
        tail_call_enabled: arbitrary.tail_call_enabled && has(feature::TAIL_CALLS),
        memory64_enabled: arbitrary.memory64_enabled && has(feature::MEMORY64),
        exceptions_enabled: arbitrary.exceptions_enabled && has(feature::EXCEPTIONS),
        extended_const_enabled: arbitrary.extended_const_enabled && has(feature::EXTENDED_CONST),
        gc_enabled: arbitrary.gc_enabled && has(feature::GC),
        custom_page_sizes_enabled: has(feature::CUSTOM_PAGE_SIZES),
        wide_arithmetic_enabled: false,
        compact_imports_enabled: false,
        // Its bits are the one thing that engines may choose freely.
        canonicalize_nans: true,
        disallow_traps: false,
        export_everything: true,
        allow_start_export: true,
        generate_custom_sections: false,
        min_types: 3,
        max_types: arbitrary.max_types.clamp(3, 20),
        min_funcs: 4,
        max_funcs: arbitrary.max_funcs.clamp(4, 12),
        max_imports: if has(feature::IMPORTS) { arbitrary.max_imports.min(6) } else { 0 },
        max_globals: arbitrary.max_globals.min(12),
        max_tags: arbitrary.max_tags.min(4),
        max_elements: arbitrary.max_elements.min(20),
        max_element_segments: arbitrary.max_element_segments.min(6),
        max_data_segments: arbitrary.max_data_segments.min(6),
        max_instructions: arbitrary.max_instructions.clamp(20, 400),
        max_memories: arbitrary.max_memories.min(if has(feature::MULTI_MEMORY) { 3 } else { 1 }),
        max_tables: arbitrary.max_tables.min(3),
        max_table_elements: arbitrary.max_table_elements.min(100),
        table_max_size_required: true,
        max_memory32_bytes: 4 * 65_536,
        max_memory64_bytes: 4 * 65_536,
        memory_max_size_required: true,
        min_uleb_size: 1,
        ..arbitrary
    }
}
