//! Instructions that make values or touch memory.

use crate::generated::kind;
use crate::replay::{Head, State};
use crate::words::{Result, Words};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::instructions::InstructionFormat;
use cranelift_codegen::ir::{types, AtomicRmwOp, ConstantData, Endianness, InstBuilder, MemFlags, MemFlagsData};

impl State<'_, '_> {
    /// The memory flags as the function knows them.
    fn flags(&mut self, head: Head) -> Result<MemFlags> {
        self.builder.func.dfg.mem_flags.insert(head.memory()?).map_err(|_| "too many memory flags".to_string())
    }

    /// Adds the instruction of this head, or has `control_instruction` do it.
    pub fn value_instruction(&mut self, head: Head, words: &mut Words<'_>) -> Result<()> {
        match head.kind {
            kind::UNARY => {
                let op = head.opcode(InstructionFormat::Unary)?;
                let a = self.value(words)?;
                let control = head.type_or(self.type_of(a));
                let (inst, _) = self.builder.ins().Unary(op, control, a);
                self.results(inst);
            }
            kind::BINARY => {
                let op = head.opcode(InstructionFormat::Binary)?;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().Binary(op, control, a, b);
                self.results(inst);
            }
            kind::TERNARY => {
                let op = head.opcode(InstructionFormat::Ternary)?;
                let (a, b, c) = (self.value(words)?, self.value(words)?, self.value(words)?);
                let control = self.type_of(b);
                let (inst, _) = self.builder.ins().Ternary(op, control, a, b, c);
                self.results(inst);
            }
            kind::ICMP | kind::FCMP => {
                let (a, b) = (self.value(words)?, self.value(words)?);
                let value = if head.kind == kind::ICMP {
                    let cond = *IntCC::all().get(head.op as usize).ok_or_else(|| format!("condition {} is not known", head.op))?;
                    self.builder.ins().icmp(cond, a, b)
                } else {
                    let cond = *FloatCC::all().get(head.op as usize).ok_or_else(|| format!("condition {} is not known", head.op))?;
                    self.builder.ins().fcmp(cond, a, b)
                };
                self.values.push(value);
            }
            kind::ICONST => {
                let value = if head.ty == types::I64 { words.wide()? as i64 } else { i64::from(words.next()? as u32) };
                let value = match head.given()? {
                    types::I8 => value & 0xff,
                    types::I16 => value & 0xffff,
                    types::I32 | types::I64 => value,
                    other => return Err(format!("iconst of type {other}")),
                };
                let value = self.builder.ins().iconst(head.ty, value);
                self.values.push(value);
            }
            kind::FCONST => {
                let value = match head.given()? {
                    types::F32 => {
                        let bits = words.next()? as u32;
                        self.builder.ins().f32const(Ieee32::with_bits(bits))
                    }
                    types::F64 => {
                        let bits = words.wide()?;
                        self.builder.ins().f64const(Ieee64::with_bits(bits))
                    }
                    other => return Err(format!("fconst of type {other}")),
                };
                self.values.push(value);
            }
            kind::VCONST => {
                let bytes = words.bytes16()?;
                let constant = self.builder.func.dfg.constants.insert(ConstantData::from(&bytes[..]));
                let value = self.builder.ins().vconst(types::I8X16, constant);
                self.values.push(value);
            }
            kind::LOAD => {
                let op = head.opcode(InstructionFormat::Load)?;
                let address = self.value(words)?;
                let offset = words.next()?;
                let control = head.type_or(self.type_of(address));
                let flags = self.flags(head)?;
                let (inst, _) = self.builder.ins().Load(op, control, flags, offset.into(), address);
                self.results(inst);
            }
            kind::STORE => {
                let op = head.opcode(InstructionFormat::Store)?;
                let (value, address) = (self.value(words)?, self.value(words)?);
                let offset = words.next()?;
                let control = self.type_of(value);
                let flags = self.flags(head)?;
                self.builder.ins().Store(op, control, flags, offset.into(), value, address);
            }
            kind::BITCAST => {
                let a = self.value(words)?;
                let given = head.given()?;
                let lanes = given.is_vector() && self.type_of(a).is_vector();
                let data = if lanes { MemFlagsData::new().with_endianness(Endianness::Little) } else { MemFlagsData::new() };
                let value = self.builder.ins().bitcast(given, data, a);
                self.values.push(value);
            }
            kind::NULLARY => {
                let op = head.opcode(InstructionFormat::NullAry)?;
                let (inst, _) = self.builder.ins().NullAry(op, head.ty);
                self.results(inst);
            }
            kind::ATOMIC_LOAD => {
                let address = self.value(words)?;
                let value = self.builder.ins().atomic_load(head.given()?, head.memory()?, address);
                self.values.push(value);
            }
            kind::ATOMIC_STORE => {
                let (value, address) = (self.value(words)?, self.value(words)?);
                self.builder.ins().atomic_store(head.memory()?, value, address);
            }
            kind::ATOMIC_RMW => {
                let op = *AtomicRmwOp::all().get(head.op as usize).ok_or_else(|| format!("atomic operation {} is not known", head.op))?;
                let (address, value) = (self.value(words)?, self.value(words)?);
                let value = self.builder.ins().atomic_rmw(head.given()?, head.memory()?, op, address, value);
                self.values.push(value);
            }
            kind::ATOMIC_CAS => {
                let (address, expected, replacement) = (self.value(words)?, self.value(words)?, self.value(words)?);
                let value = self.builder.ins().atomic_cas(head.memory()?, address, expected, replacement);
                self.values.push(value);
            }
            kind::FENCE => {
                self.builder.ins().fence();
            }
            kind::LANE_EXTRACT => {
                let op = head.opcode(InstructionFormat::BinaryImm8)?;
                let lane = words.index()? as u8;
                let a = self.value(words)?;
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().BinaryImm8(op, control, lane, a);
                self.results(inst);
            }
            kind::LANE_INSERT => {
                let op = head.opcode(InstructionFormat::TernaryImm8)?;
                let lane = words.index()? as u8;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().TernaryImm8(op, control, lane, a, b);
                self.results(inst);
            }
            kind::SHUFFLE => {
                let bytes = words.bytes16()?;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let mask = self.builder.func.dfg.immediates.push(ConstantData::from(&bytes[..]));
                let value = self.builder.ins().shuffle(a, b, mask);
                self.values.push(value);
            }
            _ => return self.control_instruction(head, words),
        }
        Ok(())
    }
}
