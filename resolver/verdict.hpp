#pragma once

#include "resolver/client_platform.hpp"
#include "resolver/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

/// What a tag request gets.
struct Verdict {
  enum class Kind : std::uint8_t {
    pass,    ///< the bytes as they are
    child,   ///< the manifest that `target` names
    filter,  ///< an index of the entries at `kept` alone
    load,    ///< undecided: fetch what `target` names and decide again, see NestedIndexes
    refuse,  ///< 403 DENIED with `message`
  };
  Kind kind = Kind::pass;
  std::optional<Descriptor> target = {};
  std::vector<std::size_t> kept = {};  ///< of filter: positions in the index, in its order
  std::string reason = {};  ///< for logs and `explain`: "exact", "runs there", "not an index", …
  /// Of refuse: names the platform, who said so and what there is. Of a pass by decide_single():
  /// the warning, if there is one.
  std::string message = {};
};

struct VerdictPolicy {
  enum class Answer : std::uint8_t { resolve, filter, pass };
  enum class Missing : std::uint8_t { pass, refuse };
  enum class Wrong : std::uint8_t { warn, refuse, pass };
  Answer answer = Answer::resolve;
  Missing missing = Missing::pass;
  Wrong wrong = Wrong::warn;
  std::vector<Platform> allow = {};  ///< `platforms.allow`; empty: every platform
};

/// True when images for this platform may be fetched: `platforms.allow` is empty or one of its
/// entries names the same system and architecture and, where it names a variant or an os.version,
/// those too (`10.0.20348` is every revision of that build).
bool is_allowed(const VerdictPolicy& policy, const Platform& platform);

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
/// Answer::filter gives, in place of the best entry, all that the client can run or emulates and
/// the attestations about those (Kind::filter); nested indexes are kept where their own platform
/// fits and are not entered. An entry that `platforms.allow` leaves out counts as not there; where
/// only such entries would fit, the verdict is a refusal whatever `missing` says.
///
/// `image` is the full name for messages (`docker.io/library/golang:1.22`).
Verdict decide(const Manifest& index, const ClientPlatform& client, const VerdictPolicy& policy,
               std::string_view image, const NestedIndexes& nested);

/// Decides for a tag that is a single manifest whose config says `runs_on`: pass or refuse. Os and
/// architecture are compared, not the variant (most single images for arm do not say theirs), with
/// what a client whose platform is stated runs or emulates. What `platforms.allow` leaves out is
/// refused for every client, whatever `wrong` says.
Verdict decide_single(const Platform& runs_on, const ClientPlatform& client,
                      const VerdictPolicy& policy, std::string_view image);

/// What there is to say about one entry of an index, for `explain`.
struct EntryNote {
  std::string platform;  ///< "" when it has none
  Digest digest;
  std::uint64_t size = 0;
  /// "fits, 1st choice", "emulated, 2nd choice", "another platform", "another Windows build", "not
  /// allowed (platforms.allow)", "an attestation", "no platform stated", …; "not compared" when
  /// what the client runs is not known.
  std::string note;
};

/// Every entry in index order, looked at as decide() does, for a client whose platform is only a
/// hint, too.
std::vector<EntryNote> look_at(const Manifest& index, const ClientPlatform& client,
                               const VerdictPolicy& policy);

}  // namespace archway::resolver
