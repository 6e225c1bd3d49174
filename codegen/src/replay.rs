//! A CLIF program to a Cranelift function (contract/formats.md, section 5).
//!
//! Every word is checked before it is used, and so is what Cranelift asserts in debug builds only and compiles wrongly otherwise: a
//! malformed program is an error that names the word. `values.rs` and `control.rs` hold the instructions.

use crate::generated::{kind, memory, STACK_LIMIT};
use crate::words::{any_type, Result, Words};
use cranelift_codegen::ir::{
    self, types, Block, BlockArg, BlockCall, Endianness, ExceptionTableData, ExceptionTableItem, ExceptionTag, ExtFuncData, ExternalName,
    FuncRef, Function, GlobalValueData, MemFlagsData, Opcode, SigRef, Signature, StackSlot, TrapCode, Type,
    UserExternalName, UserFuncName, Value,
};
use cranelift_codegen::ir::instructions::InstructionFormat;
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::{HashMap, HashSet};

/// Opcodes are 1 to this.
pub const LAST_OPCODE: u8 = Opcode::SequencePoint as u8;

// What `opcode` relies on: Cranelift numbers its opcodes from 1 without gaps, and the last one is SequencePoint.
const _: () = assert!(Opcode::Jump as u8 == 1 && LAST_OPCODE == 163);

/// The opcode of a number, or nothing beyond the last.
pub fn opcode(number: u8) -> Option<Opcode> {
    // SAFETY: Opcode is repr(u8), its variants are 1..=LAST_OPCODE (asserted above; the enum gives only its first a number).
    (1..=LAST_OPCODE).contains(&number).then(|| unsafe { std::mem::transmute::<u8, Opcode>(number) })
}

/// What a compiler knows of its functions.
pub struct Replay<'a> {
    signatures: &'a [Signature],
    function_signatures: &'a [u32],
    config: TargetFrontendConfig,
}

impl<'a> Replay<'a> {
    /// `config` is the target's.
    pub fn new(signatures: &'a [Signature], function_signatures: &'a [u32], config: TargetFrontendConfig) -> Self {
        Replay { signatures, function_signatures, config }
    }

    /// Builds one function from the words after its length; returns its number. Errors name the function and the word.
    /// After an error the context must not be used again.
    pub fn function(&self, words: &[i32], function: &mut Function, context: &mut FunctionBuilderContext) -> Result<u32> {
        let mut words = Words::new(words);
        let number = words.next()? as u32;
        let signature = words.index()?;
        let flags = words.next()?;
        function.name = UserFuncName::user(0, number);
        function.signature =
            self.signatures.get(signature).cloned().ok_or_else(|| format!("function {number}: signature {signature} is not known"))?;
        if flags & 1 != 0 {
            set_stack_limit(function)?;
        }
        let mut state = State::new(self, FunctionBuilder::new(function, context));
        while !words.is_empty() {
            let at = words.position();
            state.instruction(&mut words).map_err(|message| format!("function {number}, word {at}: {message}"))?;
        }
        state.finish().map_err(|message| format!("function {number}: {message}"))?;
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
fn memory_flags(number: usize) -> Result<MemFlagsData> {
    let little = MemFlagsData::new().with_endianness(Endianness::Little);
    Ok(match number {
        memory::HEAP => little.with_trap_code(Some(TrapCode::HEAP_OUT_OF_BOUNDS)),
        memory::TRUSTED => MemFlagsData::trusted(),
        memory::CONSTANT => MemFlagsData::trusted().with_readonly().with_can_move(),
        memory::VECTOR => little.with_trap_code(None),
        memory::ATOMIC => little.with_trap_code(None).with_aligned(),
        _ => return Err(format!("memory flags {number} are not known")),
    })
}

/// The parts of an instruction's first word.
#[derive(Clone, Copy)]
pub struct Head {
    /// What follows and what it means.
    pub kind: u32,
    /// Opcode, condition, atomic operation or trap code.
    pub op: u8,
    /// The type given, INVALID where none is.
    pub ty: Type,
    /// Memory flags, or a block's flags.
    pub flags: usize,
}

impl Head {
    fn read(words: &mut Words<'_>) -> Result<Self> {
        let word = words.next()? as u32;
        let ty = any_type((word >> 16 & 0xff) as usize)?;
        Ok(Head { kind: word & 0xff, op: (word >> 8) as u8, ty, flags: (word >> 24) as usize })
    }

    /// The opcode, which must be of the format that the kind's words are read as.
    pub fn opcode(&self, format: InstructionFormat) -> Result<Opcode> {
        match opcode(self.op) {
            Some(op) if op.format() == format => Ok(op),
            _ => Err(format!("opcode {} does not have format {format:?}", self.op)),
        }
    }

    /// The memory flags.
    pub fn memory(&self) -> Result<MemFlagsData> {
        memory_flags(self.flags)
    }

    /// The type given.
    pub fn given(&self) -> Result<Type> {
        match self.ty {
            types::INVALID => Err("the type is missing".to_string()),
            ty => Ok(ty),
        }
    }

    /// The type given, or else the operand's.
    pub fn type_or(&self, operand: Type) -> Type {
        if self.ty == types::INVALID {
            operand
        } else {
            self.ty
        }
    }

    /// The op field as a trap code.
    pub fn trap_code(&self) -> Result<TrapCode> {
        std::num::NonZeroU8::new(self.op).map(TrapCode::from_raw).ok_or_else(|| "trap code 0".to_string())
    }
}

/// How far a block has come. Order of a correct program: begun and sealed, each once; branches to it before it is sealed.
pub struct BlockState {
    pub block: Block,
    pub begun: bool,
    pub sealed: bool,
    pub branched_to: bool,
}

/// One function under construction.
pub struct State<'a, 'b> {
    replay: &'a Replay<'a>,
    /// Where instructions go.
    pub builder: FunctionBuilder<'b>,
    /// Values by number.
    pub values: Vec<Value>,
    /// Blocks by number.
    pub blocks: Vec<BlockState>,
    /// Whether the current block still takes instructions: it has no branch, return or trap yet.
    pub open: bool,
    /// Variables by number.
    pub variables: Vec<Variable>,
    /// Stack slots by number, with their sizes in bytes.
    pub slots: Vec<(StackSlot, u32)>,
    /// Bytes of all stack slots.
    pub slot_bytes: u32,
    /// Values with stack maps, and contexts of handlers: Cranelift forbids a value to be both.
    pub mapped: HashSet<Value>,
    /// See `mapped`.
    pub contexts: HashSet<Value>,
    signatures: HashMap<usize, SigRef>,
    functions: HashMap<usize, FuncRef>,
}

impl<'a, 'b> State<'a, 'b> {
    fn new(replay: &'a Replay<'a>, mut builder: FunctionBuilder<'b>) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let values = builder.block_params(entry).to_vec();
        State {
            replay,
            builder,
            values,
            blocks: vec![BlockState { block: entry, begun: true, sealed: true, branched_to: true }],
            open: true,
            variables: Vec::new(),
            slots: Vec::new(),
            slot_bytes: 0,
            mapped: HashSet::new(),
            contexts: HashSet::new(),
            signatures: HashMap::new(),
            functions: HashMap::new(),
        }
    }

    /// The value that the next word names.
    pub fn value(&self, words: &mut Words<'_>) -> Result<Value> {
        let number = words.index()?;
        self.values.get(number).copied().ok_or_else(|| format!("value {number} is not defined"))
    }
    /// A list of values.
    pub fn values(&self, words: &mut Words<'_>) -> Result<Vec<Value>> {
        (0..words.count()?).map(|_| self.value(words)).collect()
    }
    /// The block that the next word names, by number.
    pub fn block(&self, words: &mut Words<'_>) -> Result<usize> {
        let number = words.index()?;
        if number < self.blocks.len() {
            Ok(number)
        } else {
            Err(format!("block {number} is not defined"))
        }
    }
    /// The variable that the next word names.
    pub fn variable(&self, words: &mut Words<'_>) -> Result<Variable> {
        let number = words.index()?;
        self.variables.get(number).copied().ok_or_else(|| format!("variable {number} is not declared"))
    }
    /// A value's type.
    pub fn type_of(&self, value: Value) -> Type {
        self.builder.func.dfg.value_type(value)
    }

    /// A block call; negative arguments are a call's results (odd) or exception payload (even) where `call` allows them.
    pub fn block_call(&mut self, words: &mut Words<'_>, call: bool) -> Result<BlockCall> {
        let number = self.block(words)?;
        let target = &mut self.blocks[number];
        if target.sealed {
            return Err(format!("a branch to block {number}, which is sealed"));
        }
        target.branched_to = true;
        let block = target.block;
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

    /// The signature of that number, imported once.
    pub fn signature(&mut self, number: usize) -> Result<SigRef> {
        if let Some(found) = self.signatures.get(&number) {
            return Ok(*found);
        }
        let signature = self.replay.signatures.get(number).cloned().ok_or_else(|| format!("signature {number} is not known"))?;
        let made = self.builder.import_signature(signature);
        self.signatures.insert(number, made);
        Ok(made)
    }

    /// The function of that number, imported once.
    pub fn function(&mut self, number: usize) -> Result<FuncRef> {
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

    /// The normal edge and the handlers of a call.
    pub fn exception_table(&mut self, words: &mut Words<'_>, signature: SigRef) -> Result<ir::ExceptionTable> {
        let normal = self.block_call(words, true)?;
        let mut items = Vec::new();
        for _ in 0..words.count()? {
            items.push(match words.next()? {
                -2 => {
                    let context = self.value(words)?;
                    self.contexts.insert(context);
                    ExceptionTableItem::Context(context)
                }
                -1 => ExceptionTableItem::Default(self.block_call(words, true)?),
                tag @ 0.. => ExceptionTableItem::Tag(ExceptionTag::from_u32(tag as u32), self.block_call(words, true)?),
                other => return Err(format!("exception handler {other} is not known")),
            });
        }
        Ok(self.builder.func.dfg.exception_tables.push(ExceptionTableData::new(signature, normal, items)))
    }

    /// Numbers an instruction's results.
    pub fn results(&mut self, instruction: ir::Inst) {
        self.values.extend_from_slice(self.builder.func.dfg.inst_results(instruction));
    }

    /// Reads and adds one instruction.
    fn instruction(&mut self, words: &mut Words<'_>) -> Result<()> {
        let head = Head::read(words)?;
        // These stand between blocks as well; everything else needs a block that is not at its end.
        let anywhere = matches!(
            head.kind,
            kind::DECLARE_VAR | kind::BLOCK | kind::SWITCH_TO | kind::SEAL | kind::SRCLOC | kind::STACK_SLOT | kind::STACK_MAP
        );
        if !self.open && !anywhere {
            return Err(format!("instruction kind {} behind the end of its block", head.kind));
        }
        self.value_instruction(head, words)
    }

    /// Ends the function; errors where a block is not whole.
    fn finish(self) -> Result<()> {
        if self.open {
            return Err("the last block has no end".to_string());
        }
        if let Some(both) = self.contexts.intersection(&self.mapped).next() {
            return Err(format!("{both} is a handler's context and has a stack map"));
        }
        for (number, state) in self.blocks.iter().enumerate() {
            if state.begun && !state.sealed {
                return Err(format!("block {number} is not sealed"));
            }
            if state.branched_to && !state.begun {
                return Err(format!("block {number} is branched to and has no instructions"));
            }
        }
        self.builder.finalize(self.replay.config);
        Ok(())
    }
}
