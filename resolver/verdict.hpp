#pragma once

#include "resolver/client_platform.hpp"
#include "resolver/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace archway::resolver {

/// What a tag request gets.
struct Verdict {
  enum class Kind : std::uint8_t {
    pass,    ///< the bytes as they are
    child,   ///< the manifest that `target` names
    load,    ///< undecided: fetch what `target` names and decide again, see NestedIndexes
    refuse,  ///< 403 DENIED with `message`
  };
  Kind kind = Kind::pass;
  std::optional<Descriptor> target = {};
  std::string reason = {};  ///< for logs and `explain`: "exact", "runs there", "not an index", …
  /// Of refuse: names the platform, who said so and what there is. Of a pass by decide_single():
  /// the warning, if there is one.
  std::string message = {};
};

struct VerdictPolicy {
  enum class Answer : std::uint8_t { resolve, pass };
  enum class Missing : std::uint8_t { pass, refuse };
  enum class Wrong : std::uint8_t { warn, refuse, pass };
  Answer answer = Answer::resolve;
  Missing missing = Missing::pass;
  Wrong wrong = Wrong::warn;
};

inline constexpr int index_depth_max = 4;      ///< indexes within indexes
inline constexpr std::size_t nested_max = 16;  ///< nested indexes entered for one decision

/// What was fetched so far for this decision, by digest; nullptr for one that is not there yet.
///
/// A Verdict::Kind::load names either a nested index, or a manifest that the index gives no
/// platform for: of that one the config is fetched, too, and Manifest::runs_on filled in from it.
/// Whatever cannot be had (404, too big, no JSON) is answered with an empty Manifest from then on,
/// so that deciding comes to an end.
using NestedIndexes = std::function<const Manifest*(const Digest&)>;

/// Decides for one index: the ladder of what the client runs, best first, and for each rung the
/// first entry in index order that fits; then what it emulates. Attestations and what is neither
/// manifest nor index are never chosen. Unknown variants, and a Windows client of unknown build
/// facing several builds, pass. A nested index that fits by its own platform stands in line with
/// the manifests; one without a platform is entered where nothing else fits (index_depth_max,
/// cycles refused), and so is the first manifest without a platform, whose config decides then.
///
/// `image` is the full name for messages (`docker.io/library/golang:1.22`).
Verdict decide(const Manifest& index, const ClientPlatform& client, const VerdictPolicy& policy,
               std::string_view image, const NestedIndexes& nested);

/// Decides for a tag that is a single manifest whose config says `runs_on`: pass or refuse. Os and
/// architecture are compared, not the variant (most single images for arm do not say theirs), with
/// what a client whose platform is stated runs or emulates.
Verdict decide_single(const Platform& runs_on, const ClientPlatform& client,
                      const VerdictPolicy& policy, std::string_view image);

}  // namespace archway::resolver
