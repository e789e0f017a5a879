#include "resolver/platform_order.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Platform;

namespace {

Platform platform(std::string_view text) {
  return *Platform::parse(text);
}

std::string shown(const std::vector<Platform>& rungs) {
  std::string text;
  for (const auto& rung : rungs) text += (text.empty() ? "" : " ") + rung.str();
  return text;
}

/// The positions of what runs on `wanted`, best first; "-" in `offered` is an entry without a
/// platform.
std::string best(std::string_view wanted, const std::vector<std::string_view>& offered) {
  std::vector<Platform> platforms;
  for (const auto text : offered) platforms.push_back(platform(text == "-" ? "linux/arm64" : text));
  std::vector<const Platform*> pointers;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    pointers.push_back(offered[i] == "-" ? nullptr : &platforms[i]);
  }
  std::string text;
  for (const auto i : best_first(ladder(platform(wanted)), pointers)) text += std::to_string(i);
  return text;
}

bool guess(std::string_view wanted, const std::vector<std::string_view>& offered) {
  std::vector<Platform> platforms;
  for (const auto text : offered) platforms.push_back(platform(text));
  std::vector<const Platform*> pointers;
  for (const auto& p : platforms) pointers.push_back(&p);
  return is_a_guess(ladder(platform(wanted)), pointers);
}

}  // namespace

TEST_CASE("a ladder names what a machine runs, best first") {
  struct Row {
    std::string why;
    std::string wanted;
    std::string want;
    std::string want_emulated;
  };
  const Row rows[] = {
      {"amd64", "linux/amd64", "linux/amd64 linux/386", "linux/amd64"},
      {"amd64/v3", "linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386",
       "linux/amd64/v3 linux/amd64/v2 linux/amd64"},
      {"arm is v7", "linux/arm", "linux/arm/v7 linux/arm/v6 linux/arm/v5",
       "linux/arm/v7 linux/arm/v6 linux/arm/v5"},
      {"arm/v5", "linux/arm/v5", "linux/arm/v5", "linux/arm/v5"},
      {"arm64", "linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
       "linux/arm64"},
      {"arm64/v8.2", "linux/arm64/v8.2",
       "linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 "
       "linux/arm/v5",
       "linux/arm64/v8.2 linux/arm64/v8.1 linux/arm64"},
      {"arm64/v9 includes v8.5", "linux/arm64/v9",
       "linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 "
       "linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
       "linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 "
       "linux/arm64/v8.1 linux/arm64"},
      {"arm64/v9.5 includes no more than v8.9", "linux/arm64/v9.5",
       "linux/arm64/v9.5 linux/arm64/v9.4 linux/arm64/v9.3 linux/arm64/v9.2 linux/arm64/v9.1 "
       "linux/arm64/v9 linux/arm64/v8.9 linux/arm64/v8.8 linux/arm64/v8.7 linux/arm64/v8.6 "
       "linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 "
       "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
       "linux/arm64/v9.5 linux/arm64/v9.4 linux/arm64/v9.3 linux/arm64/v9.2 linux/arm64/v9.1 "
       "linux/arm64/v9 linux/arm64/v8.9 linux/arm64/v8.8 linux/arm64/v8.7 linux/arm64/v8.6 "
       "linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 linux/arm64/v8.1 "
       "linux/arm64"},
      {"most others", "linux/riscv64", "linux/riscv64", "linux/riscv64"},
      {"a variant of another", "linux/ppc64le/power9", "linux/ppc64le/power9",
       "linux/ppc64le/power9"},
      {"386 runs no amd64", "linux/386", "linux/386", "linux/386"},
      {"the build stays on every rung", "windows(10.0.20348+x)/amd64",
       "windows(10.0.20348+x)/amd64 windows(10.0.20348+x)/386", "windows(10.0.20348+x)/amd64"},
      {"arm64 of no known variant", "linux/arm64/v10", "", ""},
      {"arm64 without a v", "linux/arm64/8.2", "", ""},
      {"arm of no known variant", "linux/arm/v7l", "", ""},
      {"arm too old", "linux/arm/v4", "", ""},
      {"amd64 of no known variant", "linux/amd64/v5", "", ""},
      {"amd64 without a v", "linux/amd64/2", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(shown(ladder(platform(row.wanted))) == row.want);
    CHECK(shown(ladder(platform(row.wanted), Reach::architecture)) == row.want_emulated);
  }
}

TEST_CASE("a Windows starts the images whose build its kernel accepts") {
  struct Row {
    std::string why;
    std::string host;
    std::string image;
    bool want;
  };
  const Row rows[] = {
      {"the same", "10.0.17763", "10.0.17763", true},
      {"another revision", "10.0.17763.1", "10.0.17763.5936", true},
      {"an older one on an old host", "10.0.17763", "10.0.14393", false},
      {"a newer one on an old host", "10.0.17763", "10.0.20348", false},
      {"2019 on 2022", "10.0.20348", "10.0.17763", false},
      {"2022 on 2022", "10.0.20348", "10.0.20348.2527", true},
      {"2022 on Windows 11", "10.0.22621", "10.0.20348.1", true},
      {"one between on Windows 11", "10.0.22621", "10.0.22000.1", true},
      {"one too new for Windows 11", "10.0.22621", "10.0.25398.1", false},
      {"2022 on 2025", "10.0.26100", "10.0.20348.1", true},
      {"2025 on 2025", "10.0.26100", "10.0.26100.1", true},
      {"2022 behind 2025", "10.0.27000", "10.0.20348.1", false},
      {"2025 behind 2025", "10.0.27000", "10.0.26100.1", true},
      {"another minor version", "10.1.20348", "10.0.20348", false},
      {"another major version", "6.0.20348", "10.0.20348", false},
      {"host unknown", "", "10.0.17763", true},
      {"image unknown", "10.0.17763", "", true},
      {"unreadable, but the same", "ltsc2022", "ltsc2022", true},
      {"unreadable and another", "ltsc2022", "ltsc2019", false},
      {"unreadable on one side", "10.0.20348", "10.0", false},
      {"too many numbers", "10.0.20348", "10.0.20348.1.1", false},
      {"a number too big", "10.0.20348", "10.0.99999999999", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const Platform host{.os = "windows", .architecture = "amd64", .os_version = row.host};
    const Platform image{.os = "windows", .architecture = "amd64", .os_version = row.image};
    CHECK(system_fits(host, image) == row.want);
  }
  CHECK(system_fits({.os = "linux", .os_version = "5"}, {.os = "linux", .os_version = "6"}));
}

TEST_CASE("every feature that an image asks for must be there") {
  const auto fits = [](std::string_view host, std::string_view image) {
    return system_fits(platform(host), platform(image));
  };
  CHECK(fits("linux(+a+b)/amd64", "linux(+b)/amd64"));
  CHECK(fits("linux(+a)/amd64", "linux/amd64"));
  CHECK(!fits("linux(+a)/amd64", "linux(+a+b)/amd64"));
  CHECK(!fits("linux/amd64", "linux(+a)/amd64"));
  CHECK(fits("windows/amd64", "windows(+win32k)/amd64"));
  CHECK(!fits("linux/amd64", "linux(+win32k)/amd64"));
}

TEST_CASE("what runs is ordered by rung, Windows build, features and position") {
  struct Row {
    std::string why;
    std::string_view wanted;
    std::vector<std::string_view> offered;
    std::string want;
  };
  const Row rows[] = {
      {"by rung", "linux/amd64/v3", {"linux/386", "linux/amd64", "linux/amd64/v2"}, "210"},
      {"by position", "linux/arm64", {"linux/arm64/v8", "linux/arm64"}, "01"},
      {"no entry twice, none without a platform", "linux/arm64", {"-", "linux/arm64", "-"}, "1"},
      {"by features",
       "linux(+a+b)/arm64",
       {"linux/arm64", "linux(+a)/arm64", "linux(+a+b)/arm64"},
       "210"},
      {"by number, not by text",
       "windows(10.0.20348)/amd64",
       {"windows(10.0.20348.9)/amd64", "windows(10.0.20348.169)/amd64",
        "windows(10.0.20348.2527)/amd64", "windows/amd64"},
       "2103"},
      {"newest build first",
       "windows(10.0.26100)/amd64",
       {"windows(10.0.20348.1)/amd64", "windows(10.0.26100.1)/amd64", "windows(10.0.17763)/amd64"},
       "10"},
      {"the build before the features",
       "windows(10.0.26100+a)/amd64",
       {"windows(10.0.20348.1+a)/amd64", "windows(10.0.26100.1)/amd64"},
       "10"},
      {"win32k is no reason to prefer",
       "windows(10.0.20348)/amd64",
       {"windows(10.0.20348.1)/amd64", "windows(10.0.20348.1+win32k)/amd64"},
       "01"},
      {"on linux os.version is no reason",
       "linux/arm64",
       {"linux(1.0.0)/arm64", "linux(2.0.0)/arm64"},
       "01"},
      {"another system", "linux/arm64", {"windows/arm64", "darwin/arm64"}, ""},
      {"nothing", "linux/arm64", {}, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(best(row.wanted, row.offered) == row.want);
  }
}

TEST_CASE("for a Windows of unknown build several builds are a guess") {
  CHECK(guess("windows/amd64", {"windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"}));
  CHECK(!guess("windows/amd64", {"windows(10.0.17763.1)/amd64", "windows(10.0.17763.2)/amd64"}));
  CHECK(!guess("windows/amd64", {"windows(10.0.17763)/amd64", "windows(10.0.17763.2)/amd64"}));
  CHECK(!guess("windows/amd64", {"windows(10.0.17763)/amd64", "windows/amd64"}));
  CHECK(!guess("windows/amd64", {"windows(10.0.17763)/amd64", "windows(10.0.20348)/arm64"}));
  CHECK(!guess("windows(10.0.20348)/amd64",
               {"windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"}));
  CHECK(!guess("linux/amd64", {"linux(1.0.0)/amd64", "linux(2.0.0)/amd64"}));
  CHECK(!is_a_guess({}, {}));
}
