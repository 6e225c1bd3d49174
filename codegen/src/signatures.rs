//! The signature table (contract/formats.md, section 4).

use crate::words::{value_type, Result, Words};
use cranelift_codegen::ir::{AbiParam, ArgumentPurpose, Signature};
use cranelift_codegen::isa::CallConv;

/// A param type with this bit is the VMContext special param.
const VMCONTEXT: usize = 0x100;

/// The signature table of a compiler. Errors name the word that is not understood.
pub fn parse_signatures(words: &[i32]) -> Result<Vec<Signature>> {
    let mut words = Words::new(words);
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
            let param = value_type(word & (VMCONTEXT - 1))?;
            signature.params.push(if word & VMCONTEXT == 0 {
                AbiParam::new(param)
            } else {
                AbiParam::special(param, ArgumentPurpose::VMContext)
            });
        }
        for _ in 0..returns {
            signature.returns.push(AbiParam::new(value_type(words.index()?)?));
        }
        signatures.push(signature);
    }
    Ok(signatures)
}
