// Any text as a request's target: what is understood names something by the specification's
// grammar, and no file name made of it leads out of the cache's directory.

#include "cache/paths.hpp"
#include "resolver/route.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>
#include <variant>

using archway::Digest;
using archway::fuzz::must;
using archway::resolver::Route;
namespace paths = archway::cache::paths;

namespace {

void check_files(const Digest& digest) {
  for (const auto& file : {paths::blob(digest), paths::blob_directory(digest), paths::part(digest),
                           paths::quarantined(digest)}) {
    must(!file.starts_with('/') && file.find("..") == std::string::npos &&
             file.find('\0') == std::string::npos,
         "a file's name stays below the cache's directory");
  }
  must(digest.hex().find_first_not_of("0123456789abcdef") == std::string::npos,
       "a digest is hexadecimal in small letters");
}

void check_name(const std::string& name) {
  must(!name.empty() && name.size() <= 520, "a name has a bound");
  const auto slash = name.find('/');
  const bool has_port = name.substr(0, slash).find(':') != std::string::npos;
  const auto repository = has_port && slash != std::string::npos ? name.substr(slash + 1) : name;
  must(archway::Repository::parse(repository).has_value(), "a name is one by the grammar");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  const auto route = archway::resolver::parse_route(text);
  if (!route) {
    must(archway::fuzz::printable(route.error().message), "a refusal can be shown");
    return 0;
  }
  must(text.starts_with('/'), "a target is a path");
  must(text.substr(0, text.find('?')).find('%') == std::string_view::npos, "paths are not escaped");
  for (const auto& parameter : {route->ns, route->last, route->artifact_type}) {
    must(archway::fuzz::printable(parameter) && parameter.size() <= 255, "parameters have bounds");
  }
  if (route->kind == Route::Kind::ping) return 0;
  check_name(route->name);
  must((route->kind == Route::Kind::manifest) == route->reference.has_value(),
       "a manifest has a reference, and nothing else has");
  if (route->digest) check_files(*route->digest);
  if (!route->reference) return 0;
  if (const auto* digest = std::get_if<Digest>(&*route->reference)) check_files(*digest);
  return 0;
}
