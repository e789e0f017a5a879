#pragma once

#include "cache/index.hpp"
#include "cache/lmdb.hpp"

namespace archway::cache {

/// Reads every record of every table, in one transaction.
Index::Audit audit_index(const lmdb::Environment& environment);

}  // namespace archway::cache
