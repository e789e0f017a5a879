#pragma once

namespace archway {

/// Where the sources lie, for tests that read the project's own files. Defined in main.cpp: one
/// file knows the path, so that a compiler cache serves every checkout with all the others.
extern const char* const source_dir;

}  // namespace archway
