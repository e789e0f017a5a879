#include "resolver/platform_order.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

namespace archway::resolver {
namespace {

/// `10.0.20348.2527` as numbers, most significant first.
using WindowsVersion = std::array<std::uint32_t, 4>;

/// None unless three or four numbers stand there.
std::optional<WindowsVersion> windows_version(std::string_view text) {
  WindowsVersion version{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < version.size(); ++i) {
    const auto [behind, error] = std::from_chars(at, end, version[i]);
    if (error != std::errc()) return std::nullopt;
    if (behind == end) return i >= 2 ? std::optional(version) : std::nullopt;
    if (*behind != '.') return std::nullopt;
    at = behind + 1;
  }
  return std::nullopt;
}

// The first build whose kernel ABI is stable (Server 2022) and the next one that starts such a run
// (Server 2025): images of a run start on its later builds.
constexpr std::uint32_t stable_from = 20348;
constexpr std::uint32_t stable_anew_from = 26100;

bool build_fits(std::uint32_t host, std::uint32_t image) {
  if (host < stable_from) return image == host;
  const auto oldest = host > stable_anew_from ? stable_anew_from : stable_from;
  return oldest <= image && image <= host;
}

bool windows_fits(std::string_view host_text, std::string_view image_text) {
  if (host_text.empty() || image_text.empty()) return true;
  const auto host = windows_version(host_text);
  const auto image = windows_version(image_text);
  if (!host || !image) return host_text == image_text;
  return (*host)[0] == (*image)[0] && (*host)[1] == (*image)[1] &&
         build_fits((*host)[2], (*image)[2]);
}

class Builder {
 public:
  explicit Builder(const Platform& wanted) : wanted_(wanted) {}

  void add(std::string_view architecture, std::string_view variant) {
    auto rung = wanted_;
    rung.architecture = std::string(architecture);
    rung.variant = std::string(variant);
    rungs_.push_back(std::move(rung));
  }
  void add_arm_from(char newest) {
    for (char c = newest; c >= '5'; --c) add("arm", std::string{'v', c});
  }
  /// arm64/v8.N … v8.1, v8.
  void add_v8_from(char newest) {
    for (char c = newest; c >= '1'; --c) add("arm64", std::string("v8.") + c);
    add("arm64", "");
  }
  /// arm64/v9.N … v9.1, v9, then the v8.x that each v9.x includes.
  void add_v9_from(char newest) {
    for (char c = newest; c >= '1'; --c) add("arm64", std::string("v9.") + c);
    add("arm64", "v9");
    add_v8_from(static_cast<char>(std::min<int>(newest + 5, '9')));
  }
  std::vector<Platform> rungs() && { return std::move(rungs_); }

 private:
  const Platform& wanted_;
  std::vector<Platform> rungs_;
};

bool is_one_of(std::string_view variant, std::string_view front, char first, char last) {
  return variant.size() == front.size() + 1 && variant.starts_with(front) &&
         variant.back() >= first && variant.back() <= last;
}

/// False when the variant is not known.
bool add_arm64(Builder& builder, std::string_view variant) {
  if (variant.empty()) {
    builder.add_v8_from('0');
  } else if (variant == "v9") {
    builder.add_v9_from('0');
  } else if (is_one_of(variant, "v8.", '1', '9')) {
    builder.add_v8_from(variant.back());
  } else if (is_one_of(variant, "v9.", '1', '9')) {
    builder.add_v9_from(variant.back());
  } else {
    return false;
  }
  return true;
}

int features_used(const Platform& offered) {
  const auto& features = offered.os_features;
  const bool windows = offered.os == "windows";
  return static_cast<int>(std::count_if(features.begin(), features.end(), [windows](auto& f) {
    return !(windows && f == "win32k");
  }));
}

std::optional<std::size_t> rung_of(const std::vector<Platform>& rungs, const Platform& offered) {
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const auto& rung = rungs[i];
    if (rung.os == offered.os && rung.architecture == offered.architecture &&
        rung.variant == offered.variant && system_fits(rung, offered)) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Platform> ladder(const Platform& wanted, Reach reach) {
  Builder builder(wanted);
  const std::string_view variant = wanted.variant;
  const bool whole_machine = reach == Reach::machine;
  if (wanted.architecture == "amd64") {
    if (!variant.empty() && !is_one_of(variant, "v", '2', '4')) return {};
    for (char c = variant.empty() ? '1' : variant.back(); c >= '2'; --c) {
      builder.add("amd64", std::string{'v', c});
    }
    builder.add("amd64", "");
    if (whole_machine) builder.add("386", "");
  } else if (wanted.architecture == "arm64") {
    if (!add_arm64(builder, variant)) return {};
    if (whole_machine) builder.add_arm_from('8');
  } else if (wanted.architecture == "arm") {
    if (!is_one_of(variant, "v", '5', '8')) return {};
    builder.add_arm_from(variant.back());
  } else {
    builder.add(wanted.architecture, variant);
  }
  return std::move(builder).rungs();
}

bool system_fits(const Platform& wanted, const Platform& offered) {
  const bool windows = wanted.os == "windows";
  if (windows && !windows_fits(wanted.os_version, offered.os_version)) return false;
  const auto& have = wanted.os_features;
  const auto& asked = offered.os_features;
  return std::all_of(asked.begin(), asked.end(), [&](const std::string& feature) {
    return (windows && feature == "win32k") ||
           std::find(have.begin(), have.end(), feature) != have.end();
  });
}

std::vector<std::size_t> best_first(const std::vector<Platform>& rungs,
                                    const std::vector<const Platform*>& offered) {
  struct Fit {
    std::size_t rung;
    WindowsVersion version;  // all zero where the version does not matter or is unknown: last
    int features;
    std::size_t position;

    bool operator<(const Fit& other) const {
      return std::tie(rung, other.version, other.features, position) <
             std::tie(other.rung, version, features, other.position);
    }
  };
  std::vector<Fit> fits;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    if (offered[i] == nullptr) continue;
    const auto rung = rung_of(rungs, *offered[i]);
    if (!rung) continue;
    const auto version =
        offered[i]->os == "windows" ? windows_version(offered[i]->os_version) : std::nullopt;
    fits.push_back({.rung = *rung,
                    .version = version.value_or(WindowsVersion{}),
                    .features = features_used(*offered[i]),
                    .position = i});
  }
  std::sort(fits.begin(), fits.end());
  std::vector<std::size_t> positions;
  for (const auto& fit : fits) positions.push_back(fit.position);
  return positions;
}

bool is_a_guess(const std::vector<Platform>& rungs, const std::vector<const Platform*>& offered) {
  if (rungs.empty() || rungs[0].os != "windows" || !rungs[0].os_version.empty()) return false;
  std::set<std::string_view> builds;
  for (const auto position : best_first(rungs, offered)) {
    const std::string_view version = offered[position]->os_version;
    if (version.empty()) continue;
    // Revisions of one build start on the same machines: `10.0.20348.1` and `.2527` are one build.
    const auto numbers = windows_version(version);
    const bool has_revision = numbers && std::count(version.begin(), version.end(), '.') == 3;
    builds.insert(has_revision ? version.substr(0, version.rfind('.')) : version);
  }
  return builds.size() > 1;
}

}  // namespace archway::resolver
