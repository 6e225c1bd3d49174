//! What a module declares, as JSON and flat arrays (contract/formats.md, section 2).

use crate::stream;
use crate::types::{ref_type, storage_type, val_type};
use serde_json::{json, Value};
use std::fmt::Write;
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, GlobalType, KnownCustom, MemoryType, Name, Operator,
    Payload, TableInit, TableType, TypeRef,
};

/// Words in front of the types' offsets.
const TYPES_HEAD: u32 = 2;
/// Bits of a type's first word.
const TYPE_FINAL: u32 = 4;
const TYPE_FIRST: u32 = 8;
const NO_SUPER: u32 = u32::MAX;

/// A list as JSON, written entry by entry: there may be a million of them, and a tree of each would take kilobytes.
#[derive(Default)]
struct List(String);

impl List {
    fn push(&mut self, entry: &Value) {
        self.0.push(if self.0.is_empty() { '[' } else { ',' });
        let _ = write!(self.0, "{entry}");
    }
    fn json(&self) -> String {
        if self.0.is_empty() {
            "[]".into()
        } else {
            format!("{}]", self.0)
        }
    }
}

/// Collects sections while the module is validated.
#[derive(Default)]
pub struct Description {
    /// Where each type begins in `type_words`.
    type_offsets: Vec<u32>,
    type_words: Vec<u32>,
    /// Bits of the kinds of types that there are.
    type_kinds: u32,
    imports: List,
    tables: List,
    memories: List,
    globals: List,
    tags: List,
    exports: List,
    customs: List,
    start: Option<u32>,
    data_count: u32,
    /// Element segments, flat.
    pub elements: Vec<u32>,
    /// Data segments, flat.
    pub data: Vec<u32>,
    names: Value,
}

fn limit(value: u64) -> Value {
    if value < 1 << 53 {
        json!(value)
    } else {
        json!(value.to_string())
    }
}

fn table(ty: &TableType) -> Value {
    json!({ "type": ref_type(ty.element_type), "minimum": limit(ty.initial), "maximum": ty.maximum.map(limit), "table64": ty.table64, "init": null })
}

fn memory(ty: &MemoryType) -> Value {
    json!({
        "minimum": limit(ty.initial), "maximum": ty.maximum.map(limit), "shared": ty.shared, "memory64": ty.memory64,
        "pageSizeLog2": ty.page_size_log2.unwrap_or(16),
    })
}

fn global(ty: &GlobalType) -> Value {
    json!({ "type": val_type(ty.content_type), "mutable": ty.mutable, "init": null })
}

/// A constant expression's words, its `end` left out.
fn expression(bytes: &[u8], expr: &ConstExpr<'_>) -> wasmparser::Result<Vec<u32>> {
    let mut out = Vec::new();
    let mut reader = expr.get_operators_reader();
    while !reader.eof() {
        let offset = reader.original_position();
        let operator = reader.read()?;
        if matches!(operator, Operator::End) {
            break;
        }
        out.push(stream::opcode(bytes, offset as usize)?);
        out.push(offset as u32);
        stream::push_immediates(&operator, &mut out);
    }
    Ok(out)
}

fn with(mut value: Value, fields: &[(&str, Value)]) -> Value {
    for (key, field) in fields {
        value[*key] = field.clone();
    }
    value
}

impl Description {
    /// JSON of the sections collected.
    pub fn json(&self) -> String {
        let lists = [
            ("imports", &self.imports), ("tables", &self.tables), ("memories", &self.memories), ("globals", &self.globals),
            ("tags", &self.tags), ("exports", &self.exports), ("customs", &self.customs),
        ];
        let mut out = format!("{{\"start\":{},\"dataCount\":{}", json!(self.start), self.data_count);
        for (name, list) in lists {
            let _ = write!(out, ",\"{name}\":{}", list.json());
        }
        out.push('}');
        out
    }

    /// The types, flat.
    pub fn types(&self) -> Vec<u32> {
        let head = TYPES_HEAD + self.type_offsets.len() as u32;
        let mut out = vec![self.type_offsets.len() as u32, self.type_kinds];
        out.extend(self.type_offsets.iter().map(|offset| offset + head));
        out.extend(&self.type_words);
        out
    }

    /// JSON of the name section, with empty lists where the module has none.
    pub fn names_json(&self) -> String {
        match &self.names {
            Value::Null => json!({ "module": null, "functions": [], "tags": [] }).to_string(),
            names => names.to_string(),
        }
    }

    /// Takes in one section, which the validator has already accepted.
    pub fn payload(&mut self, bytes: &[u8], payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    self.rec_group(group?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import?;
                    let (kind, entity) = match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => ("func", json!({ "type": ty })),
                        TypeRef::Table(ty) => ("table", table(&ty)),
                        TypeRef::Memory(ty) => ("memory", memory(&ty)),
                        TypeRef::Global(ty) => ("global", global(&ty)),
                        TypeRef::Tag(ty) => ("tag", json!({ "type": ty.func_type_idx })),
                    };
                    self.imports.push(&with(entity, &[("module", json!(import.module)), ("name", json!(import.name)), ("kind", json!(kind))]));
                }
            }
            Payload::TableSection(reader) => {
                for entry in reader {
                    let entry = entry?;
                    let init = match &entry.init {
                        TableInit::RefNull => Value::Null,
                        TableInit::Expr(expr) => json!(expression(bytes, expr)?),
                    };
                    self.tables.push(&with(table(&entry.ty), &[("init", init)]));
                }
            }
            Payload::MemorySection(reader) => {
                for ty in reader {
                    self.memories.push(&memory(&ty?));
                }
            }
            Payload::GlobalSection(reader) => {
                for entry in reader {
                    let entry = entry?;
                    self.globals.push(&with(global(&entry.ty), &[("init", json!(expression(bytes, &entry.init_expr)?))]));
                }
            }
            Payload::TagSection(reader) => {
                for ty in reader {
                    self.tags.push(&json!(ty?.func_type_idx));
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    let kind = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => "func",
                        ExternalKind::Table => "table",
                        ExternalKind::Memory => "memory",
                        ExternalKind::Global => "global",
                        ExternalKind::Tag => "tag",
                    };
                    self.exports.push(&json!({ "name": export.name, "kind": kind, "index": export.index }));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    self.element(bytes, &element?)?;
                }
            }
            Payload::DataSection(reader) => {
                for segment in reader {
                    let segment = segment?;
                    self.data_count += 1;
                    let (mode, index, offset) = match &segment.kind {
                        DataKind::Passive => (1, 0, Vec::new()),
                        DataKind::Active { memory_index, offset_expr } => (0, *memory_index, expression(bytes, offset_expr)?),
                    };
                    let start = segment.data.as_ptr() as usize - bytes.as_ptr() as usize;
                    self.data.extend([mode, index, offset.len() as u32]);
                    self.data.extend(offset);
                    self.data.extend([start as u32, segment.data.len() as u32]);
                }
            }
            Payload::CustomSection(reader) => {
                let start = reader.data_offset();
                self.customs.push(&json!([reader.name(), start, start as usize + reader.data().len()]));
                if let KnownCustom::Name(names) = reader.as_known() {
                    self.name_section(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn rec_group(&mut self, group: wasmparser::RecGroup) {
        let mut first = TYPE_FIRST;
        for ty in group.into_types() {
            let inner = &ty.composite_type.inner;
            let kind = match inner {
                CompositeInnerType::Func(_) => 0,
                CompositeInnerType::Cont(_) => 1,
                CompositeInnerType::Struct(_) => 2,
                CompositeInnerType::Array(_) => 3,
            };
            self.type_kinds |= 1 << kind;
            self.type_offsets.push(self.type_words.len() as u32);
            let out = &mut self.type_words;
            out.push(kind | if ty.is_final { TYPE_FINAL } else { 0 } | first);
            out.push(ty.supertype_idxs.first().and_then(|i| i.as_module_index()).unwrap_or(NO_SUPER));
            match inner {
                CompositeInnerType::Func(f) => {
                    out.extend([f.params().len() as u32, f.results().len() as u32]);
                    out.extend(f.params().iter().chain(f.results()).map(|t| val_type(*t)));
                }
                CompositeInnerType::Cont(c) => out.push(c.0.as_module_index().unwrap_or(NO_SUPER)),
                CompositeInnerType::Struct(s) => {
                    out.push(s.fields.len() as u32);
                    out.extend(s.fields.iter().flat_map(|f| [storage_type(f.element_type), u32::from(f.mutable)]));
                }
                CompositeInnerType::Array(a) => out.extend([1, storage_type(a.0.element_type), u32::from(a.0.mutable)]),
            }
            first = 0;
        }
    }

    fn element(&mut self, bytes: &[u8], element: &wasmparser::Element<'_>) -> wasmparser::Result<()> {
        let (mode, index, offset) = match &element.kind {
            ElementKind::Active { table_index, offset_expr } => (0, table_index.unwrap_or(0), expression(bytes, offset_expr)?),
            ElementKind::Passive => (1, 0, Vec::new()),
            ElementKind::Declared => (2, 0, Vec::new()),
        };
        let out = &mut self.elements;
        out.extend([mode, index]);
        match &element.items {
            ElementItems::Functions(reader) => {
                out.push(ref_type(wasmparser::RefType::FUNC));
                out.push(offset.len() as u32);
                out.extend(offset);
                out.extend([0, reader.count()]);
                for function in reader.clone() {
                    out.push(function?);
                }
            }
            ElementItems::Expressions(ty, reader) => {
                out.push(ref_type(*ty));
                out.push(offset.len() as u32);
                out.extend(offset);
                out.extend([1, reader.count()]);
                for item in reader.clone() {
                    let words = expression(bytes, &item?)?;
                    out.push(words.len() as u32);
                    out.extend(words);
                }
            }
        }
        Ok(())
    }

    /// A malformed name section is ignored from the malformed part on, as the specification asks.
    fn name_section(&mut self, reader: wasmparser::NameSectionReader<'_>) {
        let mut module = Value::Null;
        let mut functions = Vec::new();
        let mut tags = Vec::new();
        for name in reader {
            match name {
                Ok(Name::Module { name, .. }) => module = json!(name),
                Ok(Name::Function(map)) => functions.extend(map.into_iter().map_while(Result::ok).map(|n| json!([n.index, n.name]))),
                Ok(Name::Tag(map)) => tags.extend(map.into_iter().map_while(Result::ok).map(|n| json!([n.index, n.name]))),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.names = json!({ "module": module, "functions": functions, "tags": tags });
    }
}
