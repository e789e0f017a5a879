#pragma once

#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"
#include "resolver/upstream_of.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace archway::resolver {

/// `rewrite.rules`: a name for one architecture becomes the name for all.
///
/// `from` is a regular expression (Perl's syntax) for the whole of `upstream/repository`, or, where
/// that does not match, of `upstream/repository:tag`; `to` is what it becomes, `$1` … `$9` (also
/// `${1}`) are its captures and `$$` a dollar sign.
struct RewriteRule {
  std::string from;
  std::string to;

  friend bool operator==(const RewriteRule&, const RewriteRule&) = default;
};

/// Turns the names that clients ask for into those that are fetched. A rule that matched the name
/// alone holds for everything below it, digests too (the digest itself is never touched), because a
/// client asks for an image's parts under the name it asked for the tag with. A rule that matched
/// name and tag must leave the name as it is.
///
/// Immutable; copies are cheap. Threads: any.
class Rewriter {
 public:
  Rewriter();  ///< rewrites nothing

  /// `organisations`: Docker Hub's `amd64/alpine`, `arm64v8/alpine`, … become `library/alpine`,
  /// after the rules. The results must be names of `names`.
  ///
  /// Errors: Errc::configuration_invalid; the message says which rule and what is wrong with it
  /// (not a regular expression, a capture that is not there).
  static Result<Rewriter> make(std::vector<RewriteRule> rules, bool organisations,
                               UpstreamNames names);

  struct Rewritten {
    ImageName image;
    std::optional<Tag> tag = {};
    std::string by = {};  ///< "rule 2: FROM", "architecture organisation"; "" : nothing changed
    std::string problem = {};  ///< for the log: a rule matched but what it makes cannot be used
  };

  /// The first rule that matches decides; none is applied twice.
  Rewritten apply(ImageName image, std::optional<Tag> tag) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace archway::resolver
