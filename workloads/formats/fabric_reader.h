// The long form of fabrics in a machine file: networks between nodes by their parts.
#pragma once

#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"

namespace parley::workloads {

/// Adds one entry of "fabrics" to the draft, whose spaces, resources and engines are known already.
void read_fabric(FieldReader& reader, MachineDraft& draft, JsonValue value);

/// A resource in a list of "via": a name, or an object with a weight. None after a fault.
core::Via read_via(FieldReader& reader, const MachineDraft& draft, JsonValue value);

/// What `value` names among the parts read so far, or none after a fault.
template <class Id>
Id read_part(FieldReader& reader, JsonValue value, const char* kind,
             const std::map<std::string, Id>& parts) {
  const auto name = reader.name(value);
  if (!name) return Id::none();
  const Id id = find_part(parts, *name);
  if (id.is_none()) reader.unknown(value, kind, *name, names_of(parts));
  return id;
}

}  // namespace parley::workloads
