//! The operator stream of one function (contract/formats.md, section 3).

use crate::types::{heap_type, ref_type, val_type};
use wasmparser::{
    BinaryReader, BlockType, BrTable, Catch, Handle, HeapType, Ieee32, Ieee64, MemArg, MemArgTarget, Operator, Ordering, RefType, ResumeTable,
    TryTable, ValType, V128,
};

/// An operator's opcode word: the byte, or prefix << 12 | sub-opcode.
pub fn opcode(bytes: &[u8], position: usize) -> wasmparser::Result<u32> {
    let byte = u32::from(bytes[position]);
    if !(0xfb..=0xfe).contains(&byte) {
        return Ok(byte);
    }
    let mut reader = BinaryReader::new(&bytes[position + 1..], position as u64 + 1);
    Ok(byte << 12 | reader.read_var_u32()?)
}

/// Something that stands behind an opcode.
trait Immediate {
    fn push(&self, out: &mut Vec<u32>);
}

fn push_u64(value: u64, out: &mut Vec<u32>) {
    out.push(value as u32);
    out.push((value >> 32) as u32);
}

fn push_bytes(bytes: &[u8; 16], out: &mut Vec<u32>) {
    for word in bytes.chunks_exact(4) {
        out.push(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
}

impl Immediate for u8 {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(u32::from(*self));
    }
}
impl Immediate for u32 {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(*self);
    }
}
impl Immediate for i32 {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(*self as u32);
    }
}
impl Immediate for i64 {
    fn push(&self, out: &mut Vec<u32>) {
        push_u64(*self as u64, out);
    }
}
impl Immediate for Ieee32 {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(self.bits());
    }
}
impl Immediate for Ieee64 {
    fn push(&self, out: &mut Vec<u32>) {
        push_u64(self.bits(), out);
    }
}
impl Immediate for V128 {
    fn push(&self, out: &mut Vec<u32>) {
        push_bytes(self.bytes(), out);
    }
}
impl Immediate for [u8; 16] {
    fn push(&self, out: &mut Vec<u32>) {
        push_bytes(self, out);
    }
}
impl Immediate for MemArg {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(match self.target {
            MemArgTarget::Memory(index) | MemArgTarget::Array(index) => index,
        });
        push_u64(self.offset, out);
    }
}
impl Immediate for BlockType {
    fn push(&self, out: &mut Vec<u32>) {
        let (kind, value) = match *self {
            BlockType::Empty => (0, 0),
            BlockType::Type(ty) => (1, val_type(ty)),
            BlockType::FuncType(index) => (2, index),
        };
        out.push(kind);
        out.push(value);
    }
}
impl Immediate for BrTable<'_> {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(self.len());
        out.push(self.default());
        // The targets were read once already, when the operator was.
        out.extend(self.targets().map_while(Result::ok));
    }
}
impl Immediate for HeapType {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(heap_type(*self));
    }
}
impl Immediate for RefType {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(ref_type(*self));
    }
}
impl Immediate for ValType {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(val_type(*self));
    }
}
impl Immediate for Vec<ValType> {
    fn push(&self, out: &mut Vec<u32>) {
        out.extend(self.iter().map(|ty| val_type(*ty)));
    }
}
impl Immediate for TryTable {
    fn push(&self, out: &mut Vec<u32>) {
        self.ty.push(out);
        out.push(self.catches.len() as u32);
        for catch in &self.catches {
            out.extend(match *catch {
                Catch::One { tag, label } => [0, tag, label],
                Catch::OneRef { tag, label } => [1, tag, label],
                Catch::All { label } => [2, 0, label],
                Catch::AllRef { label } => [3, 0, label],
            });
        }
    }
}
impl Immediate for ResumeTable {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(self.handlers.len() as u32);
        for handler in &self.handlers {
            out.extend(match *handler {
                Handle::OnLabel { tag, label } => [0, tag, label],
                Handle::OnSwitch { tag } => [1, tag, 0],
            });
        }
    }
}
impl Immediate for Ordering {
    fn push(&self, out: &mut Vec<u32>) {
        out.push(match self {
            Ordering::AcqRel => 0,
            Ordering::SeqCst => 1,
        });
    }
}

macro_rules! define_push {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*) )*) => {
        /// Appends an operator's immediates, in the order of its fields.
        pub fn push_immediates(operator: &Operator<'_>, out: &mut Vec<u32>) {
            match operator {
                $( Operator::$op $({ $($arg),* })? => { $( $( $arg.push(out); )* )? } )*
                // The list is wasmparser's own; its enum is only marked open.
                _ => {}
            }
        }
    };
}
wasmparser::for_each_operator!(define_push);
