//! A CLIF program to a Cranelift function (contract/formats.md, sections 4 and 5).
//!
//! Every word is checked before it is used: a malformed program is an error that names the word, never a panic.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, types, AbiParam, ArgumentPurpose, AtomicRmwOp, Block, BlockArg, BlockCall, ConstantData, Endianness, ExceptionTableData,
    ExceptionTableItem, ExceptionTag, ExtFuncData, ExternalName, FuncRef, Function, GlobalValueData, InstBuilder,
    JumpTableData, MemFlagsData, Opcode, SigRef, Signature, SourceLoc, StackSlot, StackSlotData, StackSlotKind, TrapCode, Type,
    UserExternalName, UserFuncName, Value,
};
use cranelift_codegen::ir::instructions::InstructionFormat;
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::HashMap;

/// Types by number (contract/clif.ts, TYPES).
const TYPES: [Type; 14] = [
    types::INVALID,
    types::I8,
    types::I16,
    types::I32,
    types::I64,
    types::F32,
    types::F64,
    types::I8X16,
    types::I16X8,
    types::I32X4,
    types::I64X2,
    types::F32X4,
    types::F64X2,
    types::I128,
];

/// A param type with this bit is the VMContext special param.
const VMCONTEXT: usize = 0x100;
/// Offset of the thread's stack limit (contract/abi.ts, VMThread.stack_limit).
const STACK_LIMIT: i32 = 8;
/// Opcodes are 1 to this (Cranelift 0.135).
pub const LAST_OPCODE: u8 = 163;

type Result<T> = std::result::Result<T, String>;

/// The opcode of a number, or nothing beyond the last.
pub fn opcode(number: u8) -> Option<Opcode> {
    // SAFETY: Opcode is repr(u8) with variants 1..=LAST_OPCODE; `opcodes_are_dense` in compiler::tables fails the build's test otherwise.
    (1..=LAST_OPCODE).contains(&number).then(|| unsafe { std::mem::transmute::<u8, Opcode>(number) })
}

fn ty(number: usize) -> Result<Type> {
    TYPES.get(number).copied().ok_or_else(|| format!("type {number} is not known"))
}

/// Words, read one by one.
struct Words<'a> {
    words: &'a [i32],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Result<i32> {
        let word = self.words.get(self.at).copied().ok_or_else(|| "the program ends in the middle of an instruction".to_string())?;
        self.at += 1;
        Ok(word)
    }
    fn index(&mut self) -> Result<usize> {
        Ok(self.next()? as u32 as usize)
    }
    fn count(&mut self) -> Result<usize> {
        let count = self.index()?;
        if count > self.words.len() - self.at {
            return Err(format!("a list of {count} does not fit the program (word {})", self.at - 1));
        }
        Ok(count)
    }
    fn wide(&mut self) -> Result<u64> {
        let low = self.next()? as u32;
        let high = self.next()? as u32;
        Ok(u64::from(low) | u64::from(high) << 32)
    }
    fn bytes16(&mut self) -> Result<[u8; 16]> {
        let mut bytes = [0; 16];
        for part in bytes.chunks_exact_mut(4) {
            part.copy_from_slice(&self.next()?.to_le_bytes());
        }
        Ok(bytes)
    }
}

/// The signature table of a compiler.
pub fn parse_signatures(words: &[i32]) -> Result<Vec<Signature>> {
    let mut words = Words { words, at: 0 };
    let n = words.count()?;
    let mut signatures = Vec::with_capacity(n);
    for _ in 0..n {
        let mut signature = Signature::new(match words.index()? {
            0 => CallConv::Tail,
            1 => CallConv::SystemV,
            other => return Err(format!("calling convention {other} is not known")),
        });
        let (params, returns) = (words.count()?, words.count()?);
        for _ in 0..params {
            let word = words.index()?;
            let param = ty(word & (VMCONTEXT - 1))?;
            signature.params.push(if word & VMCONTEXT == 0 {
                AbiParam::new(param)
            } else {
                AbiParam::special(param, ArgumentPurpose::VMContext)
            });
        }
        for _ in 0..returns {
            signature.returns.push(AbiParam::new(ty(words.index()?)?));
        }
        signatures.push(signature);
    }
    Ok(signatures)
}

/// What a compiler knows of its functions.
pub struct Replay<'a> {
    signatures: &'a [Signature],
    function_signatures: &'a [u32],
    config: TargetFrontendConfig,
}

impl<'a> Replay<'a> {
    pub fn new(signatures: &'a [Signature], function_signatures: &'a [u32], config: TargetFrontendConfig) -> Self {
        Replay { signatures, function_signatures, config }
    }

    /// Builds one function from the words after its length; returns its number.
    pub fn function(&self, words: &[i32], function: &mut Function, context: &mut FunctionBuilderContext) -> Result<u32> {
        let mut words = Words { words, at: 0 };
        let number = words.next()? as u32;
        let signature = words.index()?;
        let flags = words.next()?;
        function.name = UserFuncName::user(0, number);
        function.signature =
            self.signatures.get(signature).cloned().ok_or_else(|| format!("function {number}: signature {signature} is not known"))?;
        if flags & 1 != 0 {
            set_stack_limit(function)?;
        }
        let mut state = State::new(self, FunctionBuilder::new(function, context))?;
        while words.at < words.words.len() {
            let at = words.at;
            state.instruction(&mut words).map_err(|message| format!("function {number}, word {at}: {message}"))?;
        }
        state.builder.finalize(self.config);
        Ok(number)
    }
}

/// The prologue compares sp with thread->stack_limit, thread being word 0 of the context.
fn set_stack_limit(function: &mut Function) -> Result<()> {
    let full = |_| "too many memory flags".to_string();
    let readonly = function.dfg.mem_flags.insert(MemFlagsData::trusted().with_readonly()).map_err(full)?;
    let plain = function.dfg.mem_flags.insert(MemFlagsData::trusted()).map_err(full)?;
    let context = function.create_global_value(GlobalValueData::VMContext);
    let thread = function.create_global_value(GlobalValueData::Load {
        base: context,
        offset: 0.into(),
        global_type: types::I64,
        flags: readonly,
    });
    let limit = function.create_global_value(GlobalValueData::Load {
        base: thread,
        offset: STACK_LIMIT.into(),
        global_type: types::I64,
        flags: plain,
    });
    function.stack_limit = Some(limit);
    Ok(())
}

/// Memory flags by number (contract/clif.ts, MEMORY).
fn memory_flags() -> [MemFlagsData; 5] {
    let heap = MemFlagsData::new().with_endianness(Endianness::Little);
    [
        heap.with_trap_code(Some(TrapCode::HEAP_OUT_OF_BOUNDS)),
        MemFlagsData::trusted(),
        MemFlagsData::trusted().with_readonly().with_can_move(),
        heap.with_trap_code(None),
        MemFlagsData::new().with_endianness(Endianness::Little).with_trap_code(None).with_aligned(),
    ]
}

struct State<'a, 'b> {
    replay: &'a Replay<'a>,
    builder: FunctionBuilder<'b>,
    flags: [ir::MemFlags; 5],
    values: Vec<Value>,
    blocks: Vec<Block>,
    variables: Vec<Variable>,
    slots: Vec<StackSlot>,
    signatures: HashMap<usize, SigRef>,
    functions: HashMap<usize, FuncRef>,
}

impl<'a, 'b> State<'a, 'b> {
    fn new(replay: &'a Replay<'a>, mut builder: FunctionBuilder<'b>) -> Result<Self> {
        let mut flags = Vec::with_capacity(5);
        for data in memory_flags() {
            flags.push(builder.func.dfg.mem_flags.insert(data).map_err(|_| "too many memory flags".to_string())?);
        }
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let values = builder.block_params(entry).to_vec();
        Ok(State {
            replay,
            builder,
            flags: [flags[0], flags[1], flags[2], flags[3], flags[4]],
            values,
            blocks: vec![entry],
            variables: Vec::new(),
            slots: Vec::new(),
            signatures: HashMap::new(),
            functions: HashMap::new(),
        })
    }

    fn value(&self, words: &mut Words<'_>) -> Result<Value> {
        let number = words.index()?;
        self.values.get(number).copied().ok_or_else(|| format!("value {number} is not defined"))
    }
    fn values(&self, words: &mut Words<'_>) -> Result<Vec<Value>> {
        (0..words.count()?).map(|_| self.value(words)).collect()
    }
    fn block(&self, words: &mut Words<'_>) -> Result<Block> {
        let number = words.index()?;
        self.blocks.get(number).copied().ok_or_else(|| format!("block {number} is not defined"))
    }
    fn variable(&self, words: &mut Words<'_>) -> Result<Variable> {
        let number = words.index()?;
        self.variables.get(number).copied().ok_or_else(|| format!("variable {number} is not declared"))
    }
    fn type_of(&self, value: Value) -> Type {
        self.builder.func.dfg.value_type(value)
    }
    fn trap_code(number: u8) -> Result<TrapCode> {
        std::num::NonZeroU8::new(number).map(TrapCode::from_raw).ok_or_else(|| "trap code 0".to_string())
    }

    /// A block call; negative arguments are a call's results (odd) or exception payload (even) where `call` allows them.
    fn block_call(&mut self, words: &mut Words<'_>, call: bool) -> Result<BlockCall> {
        let block = self.block(words)?;
        let n = words.count()?;
        let mut arguments = Vec::with_capacity(n);
        for _ in 0..n {
            let word = words.next()?;
            arguments.push(match word {
                0.. => BlockArg::Value(self.values.get(word as usize).copied().ok_or_else(|| format!("value {word} is not defined"))?),
                _ if !call => return Err(format!("argument {word} outside a call's edge")),
                _ if word & 1 != 0 => BlockArg::TryCallRet(((-1 - word) / 2) as u32),
                _ => BlockArg::TryCallExn(((-2 - word) / 2) as u32),
            });
        }
        Ok(self.builder.func.dfg.block_call(block, &arguments))
    }

    fn signature(&mut self, number: usize) -> Result<SigRef> {
        if let Some(found) = self.signatures.get(&number) {
            return Ok(*found);
        }
        let signature = self.replay.signatures.get(number).cloned().ok_or_else(|| format!("signature {number} is not known"))?;
        let made = self.builder.import_signature(signature);
        self.signatures.insert(number, made);
        Ok(made)
    }

    fn function(&mut self, number: usize) -> Result<FuncRef> {
        if let Some(found) = self.functions.get(&number) {
            return Ok(*found);
        }
        let signature =
            *self.replay.function_signatures.get(number).ok_or_else(|| format!("function {number} has no signature"))? as usize;
        let signature = self.signature(signature)?;
        let name = self.builder.func.declare_imported_user_function(UserExternalName { namespace: 0, index: number as u32 });
        let made = self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.functions.insert(number, made);
        Ok(made)
    }

    fn exception_table(&mut self, words: &mut Words<'_>, signature: SigRef) -> Result<ir::ExceptionTable> {
        let normal = self.block_call(words, true)?;
        let mut items = Vec::new();
        for _ in 0..words.count()? {
            items.push(match words.next()? {
                -2 => ExceptionTableItem::Context(self.value(words)?),
                -1 => ExceptionTableItem::Default(self.block_call(words, true)?),
                tag @ 0.. => ExceptionTableItem::Tag(ExceptionTag::from_u32(tag as u32), self.block_call(words, true)?),
                other => return Err(format!("exception handler {other} is not known")),
            });
        }
        Ok(self.builder.func.dfg.exception_tables.push(ExceptionTableData::new(signature, normal, items)))
    }

    fn results(&mut self, instruction: ir::Inst) {
        self.values.extend_from_slice(self.builder.func.dfg.inst_results(instruction));
    }

    fn instruction(&mut self, words: &mut Words<'_>) -> Result<()> {
        let first = words.next()? as u32;
        let (kind, op, flag) = (first & 0xff, (first >> 8) as u8, (first >> 24) as usize);
        let given = ty((first >> 16 & 0xff) as usize)?;
        let flags = |state: &Self| state.flags.get(flag).copied().ok_or_else(|| format!("memory flags {flag} are not known"));
        let data = || memory_flags().get(flag).copied().ok_or_else(|| format!("memory flags {flag} are not known"));
        let checked = |format: InstructionFormat| match opcode(op) {
            Some(op) if op.format() == format => Ok(op),
            _ => Err(format!("opcode {op} does not have format {format:?}")),
        };
        match kind {
            1 => {
                let op = checked(InstructionFormat::Unary)?;
                let a = self.value(words)?;
                let control = if given == types::INVALID { self.type_of(a) } else { given };
                let (inst, _) = self.builder.ins().Unary(op, control, a);
                self.results(inst);
            }
            2 => {
                let op = checked(InstructionFormat::Binary)?;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().Binary(op, control, a, b);
                self.results(inst);
            }
            3 => {
                let op = checked(InstructionFormat::Ternary)?;
                let (a, b, c) = (self.value(words)?, self.value(words)?, self.value(words)?);
                let control = self.type_of(b);
                let (inst, _) = self.builder.ins().Ternary(op, control, a, b, c);
                self.results(inst);
            }
            4 | 5 => {
                let (a, b) = (self.value(words)?, self.value(words)?);
                let value = if kind == 4 {
                    let cond = *IntCC::all().get(op as usize).ok_or_else(|| format!("condition {op}"))?;
                    self.builder.ins().icmp(cond, a, b)
                } else {
                    let cond = *FloatCC::all().get(op as usize).ok_or_else(|| format!("condition {op}"))?;
                    self.builder.ins().fcmp(cond, a, b)
                };
                self.values.push(value);
            }
            6 => {
                let value = if given == types::I64 { words.wide()? as i64 } else { i64::from(words.next()? as u32) };
                let value = match given {
                    types::I8 => value & 0xff,
                    types::I16 => value & 0xffff,
                    types::I32 | types::I64 => value,
                    other => return Err(format!("iconst of type {other}")),
                };
                let value = self.builder.ins().iconst(given, value);
                self.values.push(value);
            }
            7 => {
                let value = match given {
                    types::F32 => {
                        let bits = words.next()? as u32;
                        self.builder.ins().f32const(ir::immediates::Ieee32::with_bits(bits))
                    }
                    types::F64 => {
                        let bits = words.wide()?;
                        self.builder.ins().f64const(ir::immediates::Ieee64::with_bits(bits))
                    }
                    other => return Err(format!("fconst of type {other}")),
                };
                self.values.push(value);
            }
            8 => {
                let bytes = words.bytes16()?;
                let constant = self.builder.func.dfg.constants.insert(ConstantData::from(&bytes[..]));
                let value = self.builder.ins().vconst(types::I8X16, constant);
                self.values.push(value);
            }
            9 => {
                let op = checked(InstructionFormat::Load)?;
                let address = self.value(words)?;
                let offset = words.next()?;
                let control = if given == types::INVALID { self.type_of(address) } else { given };
                let flags = flags(self)?;
                let (inst, _) = self.builder.ins().Load(op, control, flags, offset.into(), address);
                self.results(inst);
            }
            10 => {
                let op = checked(InstructionFormat::Store)?;
                let (value, address) = (self.value(words)?, self.value(words)?);
                let offset = words.next()?;
                let control = self.type_of(value);
                let flags = flags(self)?;
                self.builder.ins().Store(op, control, flags, offset.into(), value, address);
            }
            11 => {
                let variable = self.variable(words)?;
                let value = self.builder.use_var(variable);
                self.values.push(value);
            }
            12 => {
                let variable = self.variable(words)?;
                let value = self.value(words)?;
                self.builder.try_def_var(variable, value).map_err(|e| e.to_string())?;
            }
            13 => self.variables.push(self.builder.declare_var(given)),
            14 => {
                let block = self.builder.create_block();
                if flag & 1 != 0 {
                    self.builder.set_cold_block(block);
                }
                for _ in 0..words.count()? {
                    let param = ty(words.index()?)?;
                    self.builder.append_block_param(block, param);
                }
                self.blocks.push(block);
            }
            15 => {
                let block = self.block(words)?;
                self.builder.switch_to_block(block);
                self.values.extend_from_slice(self.builder.block_params(block));
            }
            16 => {
                let block = self.block(words)?;
                self.builder.seal_block(block);
            }
            17 => {
                let call = self.block_call(words, false)?;
                self.builder.ins().Jump(Opcode::Jump, types::INVALID, call);
            }
            18 => {
                let condition = self.value(words)?;
                let (then, otherwise) = (self.block_call(words, false)?, self.block_call(words, false)?);
                let control = self.type_of(condition);
                self.builder.ins().Brif(Opcode::Brif, control, then, otherwise, condition);
            }
            19 => {
                let index = self.value(words)?;
                let default = self.block_call(words, false)?;
                let mut targets = Vec::new();
                for _ in 0..words.count()? {
                    targets.push(self.block_call(words, false)?);
                }
                let table = self.builder.create_jump_table(JumpTableData::new(default, &targets));
                self.builder.ins().br_table(index, table);
            }
            20 => {
                let values = self.values(words)?;
                self.builder.ins().return_(&values);
            }
            21 | 23 => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let arguments = self.values(words)?;
                if kind == 21 {
                    let inst = self.builder.ins().call(callee, &arguments);
                    self.results(inst);
                } else {
                    self.builder.ins().return_call(callee, &arguments);
                }
            }
            22 | 24 => {
                let signature = words.index()?;
                let signature = self.signature(signature)?;
                let callee = self.value(words)?;
                let arguments = self.values(words)?;
                if kind == 22 {
                    let inst = self.builder.ins().call_indirect(signature, callee, &arguments);
                    self.results(inst);
                } else {
                    self.builder.ins().return_call_indirect(signature, callee, &arguments);
                }
            }
            25 => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let arguments = self.values(words)?;
                let signature = self.builder.func.dfg.ext_funcs[callee].signature;
                let table = self.exception_table(words, signature)?;
                self.builder.ins().try_call(callee, &arguments, table);
            }
            26 => {
                let signature = words.index()?;
                let signature = self.signature(signature)?;
                let callee = self.value(words)?;
                let arguments = self.values(words)?;
                let table = self.exception_table(words, signature)?;
                self.builder.ins().try_call_indirect(callee, &arguments, table);
            }
            27 => {
                self.builder.ins().trap(Self::trap_code(op)?);
            }
            28 | 29 => {
                let condition = self.value(words)?;
                let code = Self::trap_code(op)?;
                if kind == 28 {
                    self.builder.ins().trapnz(condition, code);
                } else {
                    self.builder.ins().trapz(condition, code);
                }
            }
            30 => {
                let a = self.value(words)?;
                let lanes = given.is_vector() && self.type_of(a).is_vector();
                let data = if lanes { MemFlagsData::new().with_endianness(Endianness::Little) } else { MemFlagsData::new() };
                let value = self.builder.ins().bitcast(given, data, a);
                self.values.push(value);
            }
            31 => {
                let location = words.next()? as u32;
                self.builder.set_srcloc(SourceLoc::new(location));
            }
            32 => {
                let (size, align) = (words.index()? as u32, words.index()? as u8);
                let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, align);
                self.slots.push(self.builder.create_sized_stack_slot(slot));
            }
            33 => {
                let number = words.index()?;
                let slot = *self.slots.get(number).ok_or_else(|| format!("stack slot {number} is not declared"))?;
                let offset = words.next()?;
                let value = self.builder.ins().stack_addr(types::I64, slot, offset);
                self.values.push(value);
            }
            34 => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let value = self.builder.ins().func_addr(types::I64, callee);
                self.values.push(value);
            }
            35 => {
                let op = checked(InstructionFormat::NullAry)?;
                let (inst, _) = self.builder.ins().NullAry(op, given);
                self.results(inst);
            }
            36 => {
                let address = self.value(words)?;
                let value = self.builder.ins().atomic_load(given, data()?, address);
                self.values.push(value);
            }
            37 => {
                let (value, address) = (self.value(words)?, self.value(words)?);
                self.builder.ins().atomic_store(data()?, value, address);
            }
            38 => {
                let op = *AtomicRmwOp::all().get(op as usize).ok_or_else(|| format!("atomic operation {op} is not known"))?;
                let (address, value) = (self.value(words)?, self.value(words)?);
                let value = self.builder.ins().atomic_rmw(given, data()?, op, address, value);
                self.values.push(value);
            }
            39 => {
                let (address, expected, replacement) = (self.value(words)?, self.value(words)?, self.value(words)?);
                let value = self.builder.ins().atomic_cas(data()?, address, expected, replacement);
                self.values.push(value);
            }
            40 => {
                self.builder.ins().fence();
            }
            41 => {
                let op = checked(InstructionFormat::BinaryImm8)?;
                let lane = words.index()? as u8;
                let a = self.value(words)?;
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().BinaryImm8(op, control, lane, a);
                self.results(inst);
            }
            42 => {
                let op = checked(InstructionFormat::TernaryImm8)?;
                let lane = words.index()? as u8;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let control = self.type_of(a);
                let (inst, _) = self.builder.ins().TernaryImm8(op, control, lane, a, b);
                self.results(inst);
            }
            43 => {
                let bytes = words.bytes16()?;
                let (a, b) = (self.value(words)?, self.value(words)?);
                let mask = self.builder.func.dfg.immediates.push(ConstantData::from(&bytes[..]));
                let value = self.builder.ins().shuffle(a, b, mask);
                self.values.push(value);
            }
            44 => {
                let value = self.value(words)?;
                self.builder.declare_value_needs_stack_map(value);
            }
            _ => return Err(format!("instruction kind {kind} is not known")),
        }
        Ok(())
    }
}
