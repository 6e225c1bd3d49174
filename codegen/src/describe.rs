//! What a module declares, as JSON and flat arrays (contract/formats.md, section 2).

use crate::stream;
use crate::types::{ref_type, storage_type, val_type};
use serde_json::{json, Value};
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, GlobalType, KnownCustom, MemoryType, Name, Operator,
    Payload, TableInit, TableType, TypeRef,
};

/// Collects sections while the module is validated.
#[derive(Default)]
pub struct Description {
    types: Vec<Value>,
    imports: Vec<Value>,
    tables: Vec<Value>,
    memories: Vec<Value>,
    globals: Vec<Value>,
    tags: Vec<u32>,
    exports: Vec<Value>,
    customs: Vec<Value>,
    start: Option<u32>,
    data_count: u32,
    groups: u32,
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
        json!({
            "types": self.types, "imports": self.imports, "tables": self.tables, "memories": self.memories, "globals": self.globals,
            "tags": self.tags, "exports": self.exports, "start": self.start, "dataCount": self.data_count, "customs": self.customs,
        })
        .to_string()
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
                    self.imports.push(with(entity, &[("module", json!(import.module)), ("name", json!(import.name)), ("kind", json!(kind))]));
                }
            }
            Payload::TableSection(reader) => {
                for entry in reader {
                    let entry = entry?;
                    let init = match &entry.init {
                        TableInit::RefNull => Value::Null,
                        TableInit::Expr(expr) => json!(expression(bytes, expr)?),
                    };
                    self.tables.push(with(table(&entry.ty), &[("init", init)]));
                }
            }
            Payload::MemorySection(reader) => {
                for ty in reader {
                    self.memories.push(memory(&ty?));
                }
            }
            Payload::GlobalSection(reader) => {
                for entry in reader {
                    let entry = entry?;
                    self.globals.push(with(global(&entry.ty), &[("init", json!(expression(bytes, &entry.init_expr)?))]));
                }
            }
            Payload::TagSection(reader) => {
                for ty in reader {
                    self.tags.push(ty?.func_type_idx);
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
                    self.exports.push(json!({ "name": export.name, "kind": kind, "index": export.index }));
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
                self.customs.push(json!([reader.name(), start, start as usize + reader.data().len()]));
                if let KnownCustom::Name(names) = reader.as_known() {
                    self.name_section(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn rec_group(&mut self, group: wasmparser::RecGroup) {
        for ty in group.into_types() {
            let head = json!({
                "group": self.groups, "final": ty.is_final,
                "super": ty.supertype_idxs.first().and_then(|i| i.as_module_index()).map_or(-1, i64::from),
            });
            self.types.push(match &ty.composite_type.inner {
                CompositeInnerType::Func(f) => with(head, &[
                    ("kind", json!("func")),
                    ("params", json!(f.params().iter().map(|t| val_type(*t)).collect::<Vec<_>>())),
                    ("results", json!(f.results().iter().map(|t| val_type(*t)).collect::<Vec<_>>())),
                ]),
                CompositeInnerType::Cont(c) => with(head, &[("kind", json!("cont")), ("cont", json!(c.0.as_module_index()))]),
                CompositeInnerType::Struct(s) => with(head, &[
                    ("kind", json!("struct")),
                    ("fields", s.fields.iter().map(|f| json!([storage_type(f.element_type), f.mutable])).collect()),
                ]),
                CompositeInnerType::Array(a) => {
                    with(head, &[("kind", json!("array")), ("fields", json!([[storage_type(a.0.element_type), a.0.mutable]]))])
                }
            });
        }
        self.groups += 1;
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
