//! Words for WebAssembly's types (contract/formats.md, section 1).

use wasmparser::{AbstractHeapType, HeapType, RefType, StorageType, ValType};

const REFERENCE: u32 = 0x8000_0000;
const NULLABLE: u32 = 0x4000_0000;
const CONCRETE: u32 = 0x2000_0000;

fn heap_word(heap: HeapType) -> u32 {
    match heap {
        HeapType::Abstract { ty, .. } => match ty {
            AbstractHeapType::Func => 0x70,
            AbstractHeapType::Extern => 0x6f,
            AbstractHeapType::Any => 0x6e,
            AbstractHeapType::None => 0x71,
            AbstractHeapType::NoExtern => 0x72,
            AbstractHeapType::NoFunc => 0x73,
            AbstractHeapType::Eq => 0x6d,
            AbstractHeapType::Struct => 0x6b,
            AbstractHeapType::Array => 0x6a,
            AbstractHeapType::I31 => 0x6c,
            AbstractHeapType::Exn => 0x69,
            AbstractHeapType::NoExn => 0x74,
            AbstractHeapType::Cont => 0x68,
            AbstractHeapType::NoCont => 0x75,
        },
        HeapType::Concrete(index) | HeapType::Exact(index) => CONCRETE | index.as_module_index().unwrap_or(0xf_ffff),
    }
}

/// A heap type alone: the nullable reference to it.
pub fn heap_type(heap: HeapType) -> u32 {
    REFERENCE | NULLABLE | heap_word(heap)
}

/// A reference type.
pub fn ref_type(ty: RefType) -> u32 {
    REFERENCE | if ty.is_nullable() { NULLABLE } else { 0 } | heap_word(ty.heap_type())
}

/// A value type.
pub fn val_type(ty: ValType) -> u32 {
    match ty {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ValType::Ref(r) => ref_type(r),
    }
}

/// A field's storage type: a value type, or the packed i8 and i16.
pub fn storage_type(ty: StorageType) -> u32 {
    match ty {
        StorageType::I8 => 0x78,
        StorageType::I16 => 0x77,
        StorageType::Val(v) => val_type(v),
    }
}
