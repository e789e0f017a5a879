#include "resolver/verdict.hpp"

#include "resolver/platform_order.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace archway::resolver {
namespace {

constexpr std::size_t listed_max = 30;

Verdict pass(std::string reason) {
  return {.kind = Verdict::Kind::pass, .reason = std::move(reason)};
}

/// An entry that could be an image, or lead to one.
bool is_choosable(const Descriptor& entry) {
  return kind_of(entry.media_type) != ManifestKind::other &&
         entry.reference_type != "attestation-manifest" &&
         !(entry.platform && entry.platform->os == "unknown");
}

/// The platform that an entry is matched by, nullptr when it has none or must not be chosen.
std::vector<const Platform*> platforms_of(const Manifest& index) {
  std::vector<const Platform*> offered;
  for (const auto& entry : index.manifests) {
    offered.push_back(is_choosable(entry) && entry.platform ? &*entry.platform : nullptr);
  }
  return offered;
}

/// One walk through an index and what is nested in it, for one ladder.
class Search {
 public:
  Search(const std::vector<Platform>& rungs, const NestedIndexes& nested)
      : rungs_(rungs), nested_(nested) {}

  /// None when nothing fits.
  std::optional<Verdict> find(const Manifest& index, int depth = 0) {
    const auto offered = platforms_of(index);
    if (is_a_guess(rungs_, offered)) return pass("a Windows of unknown build, several builds");
    for (const auto position : best_first(rungs_, offered)) {
      if (auto verdict = choose(index.manifests[position], *offered[position], depth))
        return verdict;
    }
    return find_without_platform(index, depth);
  }

  /// True when something that could have fitted was not looked into.
  bool left_something_out() const { return left_out_; }

 private:
  std::optional<Verdict> choose(const Descriptor& entry, const Platform& platform, int depth) {
    if (kind_of(entry.media_type) == ManifestKind::index) return enter(entry, depth);
    const auto& best = rungs_.front();
    const bool exact =
        platform.architecture == best.architecture && platform.variant == best.variant;
    return Verdict{
        .kind = Verdict::Kind::child, .target = entry, .reason = exact ? "exact" : "runs there"};
  }

  /// Entries without a platform come last; of the manifests among them only the first is asked, as
  /// containerd does.
  std::optional<Verdict> find_without_platform(const Manifest& index, int depth) {
    bool asked = false;
    for (const auto& entry : index.manifests) {
      if (entry.platform || !is_choosable(entry)) continue;
      std::optional<Verdict> verdict;
      if (kind_of(entry.media_type) == ManifestKind::index) {
        verdict = enter(entry, depth);
      } else if (!std::exchange(asked, true)) {
        verdict = ask_config(entry, depth);
      }
      if (verdict) return verdict;
    }
    return std::nullopt;
  }

  std::optional<Verdict> ask_config(const Descriptor& entry, int depth) {
    const auto* manifest = nested_(entry.digest);
    if (manifest == nullptr) return load(entry, "its config says what it runs on");
    if (!manifest->runs_on) {
      left_out_ = true;
      return std::nullopt;
    }
    if (best_first(rungs_, {&*manifest->runs_on}).empty()) return std::nullopt;
    return choose(entry, *manifest->runs_on, depth);
  }

  std::optional<Verdict> enter(const Descriptor& entry, int depth) {
    const bool seen = std::find(entered_.begin(), entered_.end(), entry.digest) != entered_.end();
    if (seen) return std::nullopt;
    if (depth >= index_depth_max || entered_.size() >= nested_max) {
      left_out_ = true;
      return std::nullopt;
    }
    const auto* index = nested_(entry.digest);
    if (index == nullptr) return load(entry, "an index within the index");
    entered_.push_back(entry.digest);
    if (index->kind != ManifestKind::index || !index->interpretable) {
      left_out_ = true;
      return std::nullopt;
    }
    return find(*index, depth + 1);
  }

  static Verdict load(const Descriptor& entry, std::string reason) {
    return {.kind = Verdict::Kind::load, .target = entry, .reason = std::move(reason)};
  }

  const std::vector<Platform>& rungs_;
  const NestedIndexes& nested_;
  std::vector<Digest> entered_;
  bool left_out_ = false;
};

/// What the image has, in index order, each once; nested indexes as far as they were fetched.
class Offer {
 public:
  explicit Offer(const NestedIndexes& nested) : nested_(nested) {}

  void add(const Manifest& index, int depth = 0) {
    for (const auto& entry : index.manifests) {
      if (!is_choosable(entry)) continue;
      const bool image = kind_of(entry.media_type) == ManifestKind::manifest;
      if (image && entry.platform) add(*entry.platform);
      if (image && entry.platform) continue;
      const auto* fetched = left_-- > 0 ? nested_(entry.digest) : nullptr;
      if (fetched == nullptr) continue;
      if (image && fetched->runs_on) add(*fetched->runs_on);
      if (!image && depth < index_depth_max) add(*fetched, depth + 1);
    }
  }
  std::string str() const {
    if (platforms_.empty()) return "nothing for any platform";
    std::string text;
    const auto count = std::min(platforms_.size(), listed_max);
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + platforms_[i];
    const auto more = platforms_.size() - count;
    return more == 0 ? text : text + " and " + std::to_string(more) + " more";
  }

 private:
  void add(const Platform& platform) {
    auto text = platform.str();
    if (std::find(platforms_.begin(), platforms_.end(), text) == platforms_.end()) {
      platforms_.push_back(std::move(text));
    }
  }

  const NestedIndexes& nested_;
  std::vector<std::string> platforms_;
  int left_ = 64;  // look-ups, however the indexes point at each other
};

/// `linux/arm/v7 (as the client's address says)`.
std::string said(const ClientPlatform& client) {
  return client.platform->str() + " (" + std::string(phrase(client.source)) + ")";
}

/// Why nothing is decided for this client at all; "" when something is.
std::string undecidable(const ClientPlatform& client, const VerdictPolicy& policy) {
  if (policy.answer == VerdictPolicy::Answer::pass) return "the rules say so";
  if (!client.platform) return "no platform known";
  if (!client.resolves) {
    return client.conflict.empty() ? "the platform is only a hint" : "rule and User-Agent differ";
  }
  if (client.variant_unknown) return "variant unknown";
  return "";
}

}  // namespace

Verdict decide(const Manifest& index, const ClientPlatform& client, const VerdictPolicy& policy,
               std::string_view image, const NestedIndexes& nested) {
  if (index.kind != ManifestKind::index) return pass("not an index");
  if (!index.interpretable) return pass("not interpreted: " + index.why);
  if (auto why = undecidable(client, policy); !why.empty()) return pass(std::move(why));

  const auto rungs = ladder(*client.platform);
  if (rungs.empty()) return pass("variant unknown");
  Search own(rungs, nested);
  if (auto verdict = own.find(index)) return *std::move(verdict);
  bool left_out = own.left_something_out();
  for (const auto& emulated : client.emulates) {
    const auto other_rungs = ladder(emulated.normalised(), Reach::architecture);
    if (other_rungs.empty()) continue;
    Search other(other_rungs, nested);
    auto verdict = other.find(index);
    if (verdict && verdict->kind == Verdict::Kind::child) verdict->reason = "emulated";
    if (verdict) return *std::move(verdict);
    left_out = left_out || other.left_something_out();
  }

  if (policy.missing == VerdictPolicy::Missing::pass) return pass("nothing fits");
  if (left_out) return pass("nothing fits, but not all of it could be read");
  Offer offer(nested);
  offer.add(index);
  return {.kind = Verdict::Kind::refuse,
          .reason = "nothing fits",
          .message =
              std::string(image) + " has no image for " + said(client) + "; it has " + offer.str()};
}

Verdict decide_single(const Platform& runs_on, const ClientPlatform& client,
                      const VerdictPolicy& policy, std::string_view image) {
  if (policy.wrong == VerdictPolicy::Wrong::pass) return pass("a single manifest");
  if (!client.platform || !client.resolves) return pass("a single manifest");
  const auto same = [&](const Platform& platform) {
    return platform.os == runs_on.os && platform.architecture == runs_on.architecture;
  };
  if (same(*client.platform)) return pass("a single manifest, exact");
  const auto rungs = ladder(*client.platform);
  if (std::any_of(rungs.begin(), rungs.end(), same)) return pass("a single manifest, runs there");
  const auto& emulates = client.emulates;
  if (std::any_of(emulates.begin(), emulates.end(), same))
    return pass("a single manifest, emulated");
  const bool refuse = policy.wrong == VerdictPolicy::Wrong::refuse;
  return {.kind = refuse ? Verdict::Kind::refuse : Verdict::Kind::pass,
          .reason = "a single manifest for another platform",
          .message = std::string(image) + " is an image for " + runs_on.str() + " alone, not for " +
                     said(client)};
}

}  // namespace archway::resolver
