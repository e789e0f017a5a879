#include "resolver/search.hpp"

#include "resolver/platform_order.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace archway::resolver {
namespace {

/// One walk through an index and what is nested in it, for one ladder.
class Search {
 public:
  Search(const std::vector<Platform>& rungs, const VerdictPolicy& policy,
         const NestedIndexes& nested)
      : rungs_(rungs), policy_(policy), nested_(nested) {}

  Finding find(const Manifest& index) {
    found_.verdict = look_into(index, 0);
    return std::move(found_);
  }

 private:
  std::optional<Verdict> look_into(const Manifest& index, int depth) {
    const auto [allowed, barred] = candidates(index, policy_);
    found_.barred = found_.barred || !best_first(rungs_, barred).empty();
    if (is_a_guess(rungs_, allowed)) {
      return Verdict{.reason = "a Windows of unknown build, several builds"};
    }
    for (const auto position : best_first(rungs_, allowed)) {
      if (auto verdict = choose(index.manifests[position], *allowed[position], depth))
        return verdict;
    }
    return find_without_platform(index, depth);
  }

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
      found_.left_out = true;
      return std::nullopt;
    }
    if (best_first(rungs_, {&*manifest->runs_on}).empty()) return std::nullopt;
    if (!is_allowed(policy_, *manifest->runs_on)) {
      found_.barred = true;
      return std::nullopt;
    }
    return choose(entry, *manifest->runs_on, depth);
  }

  std::optional<Verdict> enter(const Descriptor& entry, int depth) {
    const bool seen = std::find(entered_.begin(), entered_.end(), entry.digest) != entered_.end();
    if (seen) return std::nullopt;
    if (depth >= index_depth_max || entered_.size() >= nested_max) {
      found_.left_out = true;
      return std::nullopt;
    }
    const auto* index = nested_(entry.digest);
    if (index == nullptr) return load(entry, "an index within the index");
    entered_.push_back(entry.digest);
    if (index->kind != ManifestKind::index || !index->interpretable) {
      found_.left_out = true;
      return std::nullopt;
    }
    return look_into(*index, depth + 1);
  }

  static Verdict load(const Descriptor& entry, std::string reason) {
    return {.kind = Verdict::Kind::load, .target = entry, .reason = std::move(reason)};
  }

  const std::vector<Platform>& rungs_;
  const VerdictPolicy& policy_;
  const NestedIndexes& nested_;
  std::vector<Digest> entered_;
  Finding found_;
};

}  // namespace

Finding search(const Manifest& index, const std::vector<std::vector<Platform>>& ladders,
               const VerdictPolicy& policy, const NestedIndexes& nested) {
  Finding all;
  for (std::size_t i = 0; i < ladders.size(); ++i) {
    auto found = Search(ladders[i], policy, nested).find(index);
    all.barred = all.barred || found.barred;
    all.left_out = all.left_out || found.left_out;
    if (!found.verdict) continue;
    all.verdict = std::move(found.verdict);
    const bool emulated = i > 0;
    if (emulated && all.verdict->kind == Verdict::Kind::child) all.verdict->reason = "emulated";
    break;
  }
  return all;
}

}  // namespace archway::resolver
