#pragma once

#include "proxy/pull/explanation.hpp"
#include "proxy/pull/parts.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/verdict.hpp"

#include <memory>
#include <set>
#include <string>

namespace archway::proxy {

/// What is decided, and for whom: the same for everything that one decision asks.
struct Question {
  ImageName image;   ///< under which the objects are looked for
  std::string name;  ///< in full, for messages: `docker.io/library/golang:1.22`
  resolver::ClientPlatform client;
  resolver::VerdictPolicy policy;
  Explanation* why = nullptr;  ///< filled in on the way; nullptr: nobody wants to know
  /// With `why`: manifests that were not here before the decision looked into them.
  std::shared_ptr<std::set<Digest>> fetched = {};
  /// Set once the decision took more than the index itself.
  std::shared_ptr<bool> looked_inside = std::make_shared<bool>(false);
};

/// Notes a manifest's parts and whether they are here now; what was noted before stays as it was.
/// Nothing without an explanation.
void note_parts(const Question& question, cache::Cache& cache, const resolver::Manifest& manifest);

/// Notes them, and drops all others: this is the manifest that the client gets.
void note_only_parts_of(const Question& question, cache::Cache& cache,
                        const resolver::Manifest& manifest);

}  // namespace archway::proxy
