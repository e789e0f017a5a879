// Any text as a URL: what parses can be dialled and written into a request as it is.

#include "resolver/url.hpp"
#include "tests/fuzz/fuzz.hpp"

using archway::fuzz::must;
using archway::resolver::Url;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = Url::parse(archway::fuzz::text_of(data, size));
  if (!parsed) return 0;
  must(parsed->scheme == "http" || parsed->scheme == "https", "the scheme is one of two");
  must(!parsed->host.empty() && parsed->port != 0, "a URL says where");
  must(parsed->host.find_first_of("/@?#\\% ") == std::string::npos, "a host is a host alone");
  must(parsed->target.starts_with('/'), "a target is a path");
  for (const char c : parsed->str()) must(c > ' ' && c < 0x7f, "every character is visible");
  const auto again = Url::parse(parsed->str());
  must(again && *again == *parsed, "a URL prints back to itself");
  must(Url::parse(parsed->origin()).has_value(), "an origin is a URL");
  return 0;
}
