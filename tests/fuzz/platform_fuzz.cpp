// Any text as a platform, as people write it and as it stands in a path: what parses is normal, can
// be shown, and prints back to itself.

#include "resolver/model/platform.hpp"
#include "tests/fuzz/fuzz.hpp"

using archway::Platform;
using archway::fuzz::must;

namespace {

void check(const Platform& platform) {
  must(platform.normalised() == platform, "what is parsed is in its normal form");
  must(archway::fuzz::printable(platform.str()), "a platform can be shown");
  const auto again = Platform::parse(platform.str());
  must(again && *again == platform, "a platform prints back to itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  const auto parsed = Platform::parse(text);
  if (parsed) check(*parsed);
  must(parsed || archway::fuzz::printable(parsed.error().message), "a refusal can be shown");
  const auto token = Platform::parse_token(text);
  if (!token) return 0;
  check(*token);
  must(text.find('/') == std::string_view::npos, "a token is one part of a path");
  return 0;
}
