#include "resolver/model/platform.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using archway::Errc;
using archway::Platform;

namespace {

struct Row {
  std::string why;
  std::string text;
  std::string want;  // what str() gives, or a part of the refusal
};

}  // namespace

TEST_CASE("a platform's text is read into its normal form") {
  const std::vector<Row> rows = {
      {"as it is", "linux/arm64", "linux/arm64"},
      {"system left out", "arm64", "linux/arm64"},
      {"system left out before a variant", "arm/v6", "linux/arm/v6"},
      {"plain arm is v7", "linux/arm", "linux/arm/v7"},
      {"capitals", "LINUX/ARM/V6", "linux/arm/v6"},
      {"kernel's word", "aarch64", "linux/arm64"},
      {"kernel's word for a 32-bit Pi", "armv6l", "linux/arm/v6"},
      {"kernel's word on 32-bit x86", "linux/i686", "linux/386"},
      {"kernel's word on loong64", "loongarch64", "linux/loong64"},
      {"dpkg's word", "ppc64el", "linux/ppc64le"},
      {"an alias outweighs a variant", "linux/armv7l/v5", "linux/arm/v7"},
      {"not an alias: a variant without its v", "linux/amd64/2", "linux/amd64/2"},
      {"a Windows build", "windows(10.0.20348.1)/amd64", "windows(10.0.20348.1)/amd64"},
      {"features are sorted, each once", "windows(10.0.1+b+a+b)/amd64",
       "windows(10.0.1+a+b)/amd64"},
      {"features without a version", "linux(+foo)/amd64", "linux(+foo)/amd64"},
      {"an architecture nobody knows yet", "linux/riscv128", "linux/riscv128"},
      {"an unknown system", "hermit/amd64", "hermit/amd64"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto platform = Platform::parse(row.text);
    REQUIRE(platform);
    CHECK(platform->str() == row.want);
    CHECK(*platform == platform->normalised());
    CHECK(*Platform::parse(platform->str()) == *platform);
  }
}

TEST_CASE("a text that is no platform is refused with an example of one") {
  const std::vector<Row> rows = {
      {"empty", "", "it is empty"},
      {"a system alone", "windows", "it names a system but no architecture"},
      {"a word nobody knows", "pentium", "it names no architecture that is known"},
      {"four parts", "linux/arm/v7/x", "more than three parts"},
      {"a wildcard", "linux/*", "architecture and variant are letters"},
      {"an empty part", "linux//v7", "architecture and variant are letters"},
      {"a slash at the end", "linux/arm64/", "architecture and variant are letters"},
      {"an architecture for a system", "ppc64el/loongarch64/v1", "an architecture, not a system"},
      {"a slash at the start", "/arm64", "not a system's name"},
      {"a dot in the system", "lin.ux/arm64", "not a system's name"},
      {"empty brackets", "windows()/amd64", "not a system's name"},
      {"brackets left open", "windows(10.0/amd64", "not a system's name"},
      {"text behind the brackets", "windows(10.0)x/amd64", "not a system's name"},
      {"an empty feature", "windows(10.0+)/amd64", "not a system's name"},
      {"a space", "linux/arm 64", "architecture and variant are letters"},
      {"a line break", "linux/arm64\r\nX: y", "architecture and variant are letters"},
      {"too long", "linux/" + std::string(300, 'a'), "longer than 255"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto platform = Platform::parse(row.text);
    REQUIRE(!platform);
    CHECK(platform.error().code == Errc::platform_invalid);
    CHECK(platform.error().message.find(row.want) != std::string::npos);
    CHECK(platform.error().message.find("write it like linux/arm64 or linux/arm/v7") !=
          std::string::npos);
    CHECK(platform.error().message.size() < 300);
  }
}

TEST_CASE("the form of URL paths has dashes for slashes") {
  const std::vector<Row> rows = {
      {"two parts", "linux-arm64", "linux/arm64"},
      {"three parts", "linux-arm-v7", "linux/arm/v7"},
      {"a dotted variant", "linux-arm64-v8.2", "linux/arm64/v8.2"},
      {"system left out", "arm64", "linux/arm64"},
      {"system left out before a variant", "arm-v6", "linux/arm/v6"},
      {"another system", "windows-amd64", "windows/amd64"},
      {"kernel's word", "linux-x86_64", "linux/amd64"},
      {"capitals", "Linux-ARM64", "linux/arm64"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto platform = Platform::parse_token(row.text);
    REQUIRE(platform);
    CHECK(platform->str() == row.want);
  }
}

TEST_CASE("a word in a path that is no platform is refused, typing errors included") {
  const std::vector<Row> rows = {
      {"empty", "", "it is empty"},
      {"a system alone", "linux", "names no architecture"},
      {"a mistyped architecture", "linux-amr64", "its architecture is not known"},
      {"a mistyped system", "linus-arm64", "its system is not known"},
      {"slashes", "linux/arm64", "names no architecture"},
      {"a build", "windows(10.0.20348)-amd64", "its system is not known"},
      {"four parts", "linux-arm-v7-x", "more than three parts"},
      {"an empty variant", "linux-arm-", "a variant is letters"},
      {"too long", std::string(300, 'a'), "longer than 255"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto platform = Platform::parse_token(row.text);
    REQUIRE(!platform);
    CHECK(platform.error().code == Errc::platform_invalid);
    CHECK(platform.error().message.find(row.want) != std::string::npos);
    CHECK(platform.error().message.find("linux-arm64 or linux-arm-v7") != std::string::npos);
  }
}

TEST_CASE("what images are labelled with is not taken for an alias") {
  const Platform label{.os = "linux", .architecture = "armv7l"};
  CHECK(label.normalised().architecture == "armv7l");
}
